"""Shape priors of a category: focal lengths, relations, sparse and dense shape."""

"""The shape of a category, stage by stage: cameras, relations, sparse, bundle, points, dense."""

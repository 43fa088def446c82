"""What alignment needs to know of the training images (METHOD.md 10, 1 to 3)."""

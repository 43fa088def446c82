"""Shape, poses, focal lengths and depth refined together (METHOD.md 7)."""

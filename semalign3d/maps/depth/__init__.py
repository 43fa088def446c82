"""Relative inverse depth of photos: Depth Anything, VGGT, or the user's files (METHOD.md 3)."""

"""Poses of a prior before a photo: searched, then refined (METHOD.md 10, 4 to 7)."""

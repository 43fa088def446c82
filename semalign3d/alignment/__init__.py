"""The prior placed in a photo, and matches read off from two photos (METHOD.md section 10)."""

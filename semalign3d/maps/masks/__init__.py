"""Object masks of photos: SAM's candidates, or the user's files (METHOD.md 2)."""

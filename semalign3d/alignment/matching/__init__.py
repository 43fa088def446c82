"""Matches between two photos that a prior is placed in (METHOD.md 10, 8)."""

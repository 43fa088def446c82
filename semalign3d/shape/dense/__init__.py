"""The dense prior: a surface from the object points of all views (METHOD.md 8)."""

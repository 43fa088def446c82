"""Sections of what makes the shape."""

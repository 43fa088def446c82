"""Descriptor maps of photos: from feature files, an encoder or the user (METHOD.md 1.4)."""

"""Synthetic datasets of any size, with features of the published sizes."""

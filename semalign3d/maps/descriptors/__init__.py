"""Descriptor maps of photos: from feature files, an encoder or the user (METHOD.md 1.4)."""

INPUTS = ("s3", "s4", "s5", "dino")
"""What GeoAware-SC's post-processor takes, in its order."""

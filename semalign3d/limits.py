"""Numbers that stages and checks agree on."""

MIN_KEYPOINTS = 4
"""Keypoints that an image needs to take part in dense fusion."""

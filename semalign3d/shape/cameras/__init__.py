"""Focal lengths of the training views, and their keypoints in 3D (METHOD.md 3 to 5)."""

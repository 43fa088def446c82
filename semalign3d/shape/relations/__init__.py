"""Relations between keypoints, and their Beta distributions (METHOD.md 6)."""

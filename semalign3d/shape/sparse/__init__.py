"""The sparse prior: keypoints in object space, with descriptors (METHOD.md 7)."""

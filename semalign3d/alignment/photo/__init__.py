"""What a photo shows of a prior's points (METHOD.md 10, 1 to 3)."""

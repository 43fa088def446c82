"""PF-Pascal (METHOD.md 1.3)."""

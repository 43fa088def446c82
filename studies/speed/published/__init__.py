"""The published construction of the sparse prior: the yardstick."""

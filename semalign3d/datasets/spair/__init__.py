"""SPair-71k, and every dataset in its layout (METHOD.md 1.1)."""

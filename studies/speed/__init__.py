"""What each stage costs, how that grows, and how it compares with the published method."""

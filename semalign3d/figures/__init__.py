"""What we draw. Every function takes arrays and returns a matplotlib figure."""

"""What each step of dense fusion brings."""

"""Pictures of synthetic scenes with their truth."""

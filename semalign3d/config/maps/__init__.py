"""Settings of the per-photo maps."""

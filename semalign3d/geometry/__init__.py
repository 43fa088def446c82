"""Array maths of the method: no files, no networks, no configuration."""

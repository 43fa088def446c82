"""What each photo is turned into: descriptors, object masks and depth. A network loads once."""

"""Where descriptors, masks and depth come from: networks, the user's files, the demo's own."""

"""How the demo's small networks were trained, and how good they are."""

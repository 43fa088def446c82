"""The demo's two small networks: how they were trained, their weights and scores."""

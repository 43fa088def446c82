"""How well priors match the demo's photos, by truth that the pipeline never reads."""

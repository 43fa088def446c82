"""3D shape priors of object categories from annotated photos, and matches from the priors."""

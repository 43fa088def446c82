"""Numbers that stages and checks agree on."""

MIN_KEYPOINTS = 4
"""Keypoints that a prior needs, and an image to take part in bundle refinement and dense fusion."""
MAX_MEGAPIXELS = 120
"""Size of a photo above which memory may not do: `dataset.max_megapixels` raises it."""
FEW_PHOTOS = 8
"""Training photos with as many keypoints, below which a prior is poor, if there is one at all."""

"""Where tests run array maths besides NumPy."""

import torch

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
"""Of torch."""

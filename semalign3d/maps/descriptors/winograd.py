"""3x3 convolutions with a quarter of the multiplications.

Winograd's F(4x4, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR
2016, section 4.3): tiles of 6x6 cells, kernels and products of both are transformed so that a tile
takes one multiplication for each of its cells and gives 4x4 outputs, which take 9 each otherwise.
torch on the CPU multiplies directly.
"""

import functools

import torch
from torch import Tensor

SIDE, TILE = 4, 6
"""Cells of a tile's output and of its input, along one axis."""
_OF_TILE = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_OF_KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OF_PRODUCT = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)


def _both_axes(matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """The matrix that acts on flattened tiles as `matrix` acts on their rows and columns."""
    along_one = torch.tensor(matrix, dtype=torch.float64)
    return torch.kron(along_one, along_one)


TO_TILE = _both_axes(_OF_TILE).float()
TO_KERNEL = _both_axes(_OF_KERNEL)
TO_OUTPUT = _both_axes(_OF_PRODUCT).float()


def transform(weight: Tensor) -> Tensor:
    """Kernels (C_out, C_in, 3, 3) as (36, C_in, C_out) float32, for `convolve`."""
    kernels = TO_KERNEL @ weight.detach().cpu().double().flatten(2).permute(2, 1, 0).flatten(1)
    return kernels.view(TILE**2, weight.shape[1], weight.shape[0]).float()


@functools.cache
def _tile_cells(height: int, width: int) -> tuple[Tensor, Tensor]:
    """The number of each cell of each tile (36 x tiles,), row by row, and which entries of these
    lie outside of the map (indices, int64); those hold the number of a cell at the border."""
    (rows, above), (columns, aside) = _tile_axis(height), _tile_axis(width)
    cells = width * rows[:, None, :, None] + columns[:, None]
    outside = above[:, None, :, None] | aside[:, None]
    return cells.flatten(), outside.flatten().nonzero()[:, 0]


def _tile_axis(length: int) -> tuple[Tensor, Tensor]:
    """Cells of the tiles along one axis (6, tiles), and whether they lie outside."""
    starts = torch.arange(-1, length - 1, SIDE)
    cells = starts + torch.arange(TILE)[:, None]
    return cells.clamp(0, length - 1), (cells < 0) | (cells >= length)


def convolve(features: Tensor, kernels: Tensor) -> Tensor:
    """What `torch.nn.functional.conv2d` gives for these kernels and a padding of 1.

    Results differ from its own by about 1e-5 of their largest value, as sums of large numbers
    cancel in the transforms.

    Parameters
    ----------
    features : (n, C_in, h, w) float32 on the CPU, fastest where channels lie last in memory.
    kernels : (36, C_in, C_out), see `transform`.

    Returns
    -------
    (n, C_out, h, w), channels last in memory.
    """
    n, inputs, height, width = features.shape
    rows, columns = -(-height // SIDE), -(-width // SIDE)
    cells, outside = _tile_cells(height, width)
    tiles = features.flatten(2).permute(2, 0, 1).index_select(0, cells)
    tiles.index_fill_(0, outside, 0.0)
    transformed = (TO_TILE @ tiles.view(TILE**2, -1)).view(TILE**2, -1, inputs)
    products = torch.bmm(transformed, kernels).view(TILE**2, -1)
    outputs = (TO_OUTPUT @ products).view(SIDE, SIDE, rows, columns, n, -1)
    maps = outputs.permute(4, 2, 0, 3, 1, 5).reshape(n, SIDE * rows, SIDE * columns, -1)
    return maps[:, :height, :width].contiguous().permute(0, 3, 1, 2)

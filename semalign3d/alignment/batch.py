"""The prior placed in many photos, by several processes (METHOD.md section 10)."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from semalign3d.alignment.aligner import Aligner
from semalign3d.alignment.alignment import Alignment
from semalign3d.files import store
from semalign3d.geometry.cameras import Size


class PhotoFile(NamedTuple):
    """A photo to be aligned.

    Attributes
    ----------
    descriptors : HDF5 file with the descriptor maps (2, G, G, C) as `descriptors`.
    size : (W, H) of the photo in pixels.
    mask : gives the mask (H, W) bool that guides the alignment, in the process that aligns the
        photo; so it must pickle. None for no guide.
    """

    descriptors: str | os.PathLike[str]
    size: Size
    mask: Callable[[], np.ndarray] | None = None


_aligners: list[Aligner] = []
"""Of this process: made once, used for all its photos."""


def align_files(
    make_aligner: Callable[[], Aligner],
    photos: Sequence[PhotoFile],
    processes: int = 1,
) -> Iterator[Alignment]:
    """Alignments of photos, in their order and as soon as they are there.

    The numbers do not depend on the processes: each photo is aligned by one of them, which has as
    many threads as this one.

    Parameters
    ----------
    make_aligner : called once in each process, so it must pickle: a function of a module, or a
        `functools.partial` of one such as `semalign3d.prior.load_aligner`.
    photos : in the order of the result.
    processes : at most so many; 1 works in this one.

    Raises
    ------
    DamagedFileError : the prior or a descriptor map is not whole; photos not yet begun are left.
    """
    processes = min(max(processes, 1), len(photos))
    if processes == 0:
        return
    if processes == 1:
        aligner = make_aligner()
        for photo in photos:
            yield _aligned(aligner, photo)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _prepare, (make_aligner,)) as pool:
        yield from pool.map(_of_this_process, photos)


def _prepare(make_aligner: Callable[[], Aligner]) -> None:
    _aligners.append(make_aligner())


def _of_this_process(photo: PhotoFile) -> Alignment:
    return _aligned(_aligners[0], photo)


def _aligned(aligner: Aligner, photo: PhotoFile) -> Alignment:
    found = store.read(photo.descriptors, "descriptors")["descriptors"][0]
    return aligner(found, photo.size, None if photo.mask is None else photo.mask())

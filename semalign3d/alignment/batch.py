"""The prior placed in many photos, by several processes (METHOD.md section 10)."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from semalign3d.alignment.aligner import Aligner
from semalign3d.alignment.alignment import Alignment
from semalign3d.files import store
from semalign3d.geometry.cameras import Size

_aligners: list[Aligner] = []
"""Of this process: made once, used for all its photos."""


def align_files(
    make_aligner: Callable[[], Aligner],
    photos: Sequence[tuple[str | os.PathLike[str], Size]],
    processes: int = 1,
) -> Iterator[Alignment]:
    """Alignments of photos, in their order and as soon as they are there.

    The numbers do not depend on the processes: each photo is aligned by one of them, which has as
    many threads as this one.

    Parameters
    ----------
    make_aligner : called once in each process, so it must pickle: a function of a module, or a
        `functools.partial` of one such as `semalign3d.prior.load_aligner`.
    photos : HDF5 files with the descriptor maps (2, G, G, C) as `descriptors`, and the photos'
        sizes (W, H) in pixels.
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
        for path, size in photos:
            yield _aligned(aligner, path, size)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _prepare, (make_aligner,)) as pool:
        yield from pool.map(_of_this_process, photos)


def _prepare(make_aligner: Callable[[], Aligner]) -> None:
    _aligners.append(make_aligner())


def _of_this_process(photo: tuple[str | os.PathLike[str], Size]) -> Alignment:
    return _aligned(_aligners[0], *photo)


def _aligned(aligner: Aligner, path: str | os.PathLike[str], size: Size) -> Alignment:
    return aligner(store.read(path, "descriptors")["descriptors"][0], size)

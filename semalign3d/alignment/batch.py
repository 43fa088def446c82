"""The prior placed in many photos, by several processes (METHOD.md section 10)."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from semalign3d import store
from semalign3d.alignment.aligner import Aligner
from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.geometry.cameras import Size
from semalign3d.prior.prior import Prior

Task = tuple[str | os.PathLike[str], Size]
"""A photo: the file with its descriptor map, and its size (W, H) in pixels."""

_aligners: list[Aligner] = []
"""Of this process: made once, used for all its photos."""


def align_files(
    prior: str | os.PathLike[str],
    settings: AlignmentSettings,
    photos: Sequence[Task],
    processes: int = 1,
) -> Iterator[Alignment]:
    """Alignments of photos, in their order and as soon as they are there.

    The numbers do not depend on the processes: each photo is aligned by one of them, which has as
    many threads as this one.

    Parameters
    ----------
    prior : the prior file.
    settings : see `AlignmentSettings`.
    photos : descriptor maps (2, G, G, C) as `descriptors` of HDF5 files, and the photos' sizes.
    processes : at most so many; 1 works in this one.

    Raises
    ------
    DamagedFileError : the prior or a descriptor map is not whole; photos not yet begun are left.
    """
    processes = min(max(processes, 1), len(photos))
    if processes == 0:
        return
    if processes == 1:
        aligner = Prior.load(prior).aligner(settings)
        for path, size in photos:
            yield _aligned(aligner, path, size)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _prepare, (prior, settings)) as pool:
        yield from pool.map(_of_this_process, photos)


def _prepare(prior: str | os.PathLike[str], settings: AlignmentSettings) -> None:
    _aligners.append(Prior.load(prior).aligner(settings))


def _of_this_process(photo: Task) -> Alignment:
    return _aligned(_aligners[0], *photo)


def _aligned(aligner: Aligner, path: str | os.PathLike[str], size: Size) -> Alignment:
    return aligner(store.read(path, "descriptors")["descriptors"][0], size)

"""What the checks read of the files behind descriptors: one at a time, for their shapes."""

from pathlib import Path
from typing import Protocol

from ...errors import InputError
from . import files as descriptor_files
from .geoaware import feature_files, read_feature_file

Shape = tuple[int, ...]


class FeatureFiles(Protocol):
    """The feature files of one category.

    Attributes
    ----------
    same_grid : names of the inputs that must have the same grid in all files.
    """

    same_grid: tuple[str, ...]

    def problem(self) -> str | None:
        """What is wrong with the place of all files, None if nothing."""
        ...

    def names(self, stem: str) -> tuple[str, ...]:
        """What belongs to an image and its mirror image: paths, as errors name them."""
        ...

    def present(self, stem: str) -> bool:
        """Whether all that belongs to an image is there, sound or not."""
        ...

    def shapes(self, name: str) -> dict[str, Shape]:
        """Read and validate one file: {input: channels, height, width}.

        Raises
        ------
        InputError : missing, damaged, of another shape or not finite.
        """
        ...


class GeoAwareFiles:
    """`<root>/<category>/<stem>_{dino,sd}[_flip].pt`."""

    same_grid: tuple[str, ...] = ("dino",)

    def __init__(self, root: str | Path, category: str) -> None:
        self.folder = Path(root) / category

    def problem(self) -> str | None:
        return _no_folder(self.folder)

    def names(self, stem: str) -> tuple[str, ...]:
        return tuple(map(str, feature_files(self.folder, stem)))

    def present(self, stem: str) -> bool:
        return all(Path(name).exists() for name in self.names(stem))

    def shapes(self, name: str) -> dict[str, Shape]:
        return {key: tuple(t.shape[1:]) for key, t in read_feature_file(name).items()}


class MapFiles:
    """`<root>/<category>/<stem>[_flip].npy`, or datasets of one HDF5 file."""

    same_grid: tuple[str, ...] = ("map",)

    def __init__(self, root: str | Path, category: str) -> None:
        self.root, self.category = Path(root), category

    def problem(self) -> str | None:
        if not descriptor_files.is_hdf5(self.root):
            return _no_folder(self.root / self.category)
        try:
            descriptor_files.hdf5_names(self.root, self.category)
        except InputError as error:
            return str(error)
        return None

    def names(self, stem: str) -> tuple[str, ...]:
        folder = self.root / self.category
        end = "" if descriptor_files.is_hdf5(self.root) else ".npy"
        return tuple(f"{folder / stem}{flip}{end}" for flip in descriptor_files.ENDS)

    def present(self, stem: str) -> bool:
        if descriptor_files.is_hdf5(self.root):
            present = descriptor_files.hdf5_names(self.root, self.category)
            return {stem, f"{stem}_flip"} <= present
        return all(Path(name).exists() for name in self.names(stem))

    def shapes(self, name: str) -> dict[str, Shape]:
        plain = Path(name).name.removesuffix(".npy")
        return {"map": descriptor_files.read_map(self.root, self.category, plain).shape}


def _no_folder(folder: Path) -> str | None:
    if folder.is_dir():
        return None
    return f"{folder}: no such folder; it should hold the feature files"


def open_feature_files(kind: str, root: str | Path, category: str) -> FeatureFiles | None:
    """The files that `descriptors.source` reads, None for an encoder, which reads none."""
    if kind == "geoaware":
        return GeoAwareFiles(root, category)
    return MapFiles(root, category) if kind == "files" else None

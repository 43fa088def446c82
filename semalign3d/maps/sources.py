"""What sources of descriptors, masks and depth have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..files.digest import values_digest

if TYPE_CHECKING:
    import torch

Photo = TypeVar("Photo", contravariant=True)
Maps = TypeVar("Maps", covariant=True)
Device = Callable[[], "torch.device"]
"""Names the device when a network is wanted, so that a job without work imports no torch."""


class MapSource(ABC, Generic[Photo, Maps]):
    """Maps of the photos of one category: from a network that is loaded once, or from files.

    Attributes
    ----------
    recipe : digest of networks and settings, or a name where there are none.
    """

    recipe: str

    @abstractmethod
    def made_from(self, photo: Photo) -> list[Any]:
        """Digests and numbers behind a photo's maps.

        Raises
        ------
        FileNotFoundError : a file is missing.
        """

    @abstractmethod
    def encode(self, photo: Photo) -> Maps:
        """A photo's maps.

        Raises
        ------
        InputError : files or a network that cannot be used.
        """

    def stamp(self, photo: Photo, code: str) -> str:
        """Digest of all that makes a photo's maps.

        Parameters
        ----------
        code : digest of the code.
        """
        return values_digest(code=code, model=self.recipe, made_from=self.made_from(photo))

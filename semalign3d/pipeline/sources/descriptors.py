"""Where descriptors come from: feature files, an encoder of photos, or the user's maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...files.digest import values_digest
from ...maps.descriptors.files import descriptor_files
from ...maps.descriptors.vit import DEFAULT_MODELS
from .paths import SourcePaths
from .seen import seen_features

if TYPE_CHECKING:
    from ...config.maps.descriptors import Descriptors

KINDS = ("dino", "dino_flip", "sd", "sd_flip")
"""Of GeoAware-SC's feature files."""
MAPS_REMEDY = (
    "descriptors.source is files, so give the folder that holds <category>/<stem>.npy and "
    "<category>/<stem>_flip.npy, or one HDF5 file."
)
FEATURES_REMEDY = (
    "give the folder that holds GeoAware-SC's feature files, <root>/<category>/<stem>_dino.pt "
    "and so on (documentation, SPair-71k)."
)
NETWORK_REMEDY = (
    "give the post-processor checkpoint of GeoAware-SC (best_856.PTH, from "
    "https://github.com/Junyi42/GeoAware-SC), or 'raw' to do without one."
)
ENCODER_REMEDY = "give a post-processor that was trained on this encoder's features, or 'raw'."


class DescriptorSource:
    """The source of descriptors that the configuration chooses.

    Parameters
    ----------
    section, paths : of the configuration.
    demo_root, networks : folders of the demo's data and networks.
    remember : whether feature files that are seen are noted on disk; a dry run notes nothing.

    Attributes
    ----------
    kind : geoaware, dinov2, dinov3 or files.
    by_network : whether a network takes part.
    of_photos : whether an encoder reads the photos themselves.
    model : hub id or folder of the encoder; empty without one.
    root : folder or file of features or maps; empty where photos are read.
    checkpoint : of the post-processor, or "raw".
    warnings : of keys that play no part.
    """

    def __init__(
        self,
        section: Descriptors,
        paths: SourcePaths,
        demo_root: str,
        networks: Path,
        *,
        remember: bool = True,
    ) -> None:
        self._paths = paths
        self._remember = remember
        self._demo_root = f"{demo_root}/features"
        self._seen: dict[str, dict[str, str]] = {}
        self.kind = section.source
        self.by_network = section.source != "files"
        self.of_photos = section.source in DEFAULT_MODELS
        self.model, self.root, self.checkpoint = "", "", "raw"
        if self.of_photos:
            self.warnings = paths.unused("descriptors", "root")
            self.model = section.model or DEFAULT_MODELS[section.source]
            if section.checkpoint is not None:
                self.checkpoint = paths.find("descriptors.checkpoint", "raw", ENCODER_REMEDY)
        elif self.kind == "files":
            self.warnings = paths.unused("descriptors", "checkpoint", "model")
            self.root = paths.find("descriptors.root", None, MAPS_REMEDY)
        else:
            self.warnings = paths.unused("descriptors", "model")
            self.root = paths.find("descriptors.root", self._demo_root, FEATURES_REMEDY)
            own = str(networks / "post_processor.pth")
            self.checkpoint = paths.find("descriptors.checkpoint", own, NETWORK_REMEDY)

    def files(self, category: str, stems: list[str]) -> list[str]:
        """The files that the source reads for these images."""
        if self.kind == "files":
            return [str(f) for stem in stems for f in descriptor_files(self.root, category, stem)]
        return [f"{self.root}/{category}/{stem}_{kind}.pt" for stem in stems for kind in KINDS]

    def demo_files(self, category: str, stems: list[str]) -> list[str]:
        """The features that the demo makes."""
        start = f"{self._demo_root}/{category}"
        return [f"{start}/{stem}_{kind}.pt" for stem in stems for kind in KINDS]

    def made(self, category: str, stems: list[str]) -> list[str]:
        """The feature files that the workflow makes: only these are inputs of jobs.

        The user's may be deleted when descriptors are made of them; `found` follows them.
        """
        own = self._paths.is_demo and self.root == self._demo_root
        return self.files(category, stems) if own else []

    def found(self, category: str, stems: list[str]) -> str:
        """Digest of what the images' feature files look like: another one reruns the stage.

        Raises
        ------
        WorkflowError : there never was a feature file, and the root is not set or missing.
        """
        if self.of_photos or self.made(category, stems):
            return ""
        if self.root and category not in self._seen:
            self._seen[category] = seen_features(self.root, category, self._remember)
        seen = self._seen.get(category)
        if not seen:
            self._paths.require("descriptors.root")
            seen = {}
        return values_digest(files=[seen.get(path) for path in self.files(category, stems)])

    def networks(self) -> list[str]:
        """Files of the post-processor, and of the encoder where it lies in a local folder.

        Raises
        ------
        WorkflowError : the post-processor is not set or missing.
        """
        self._paths.require("descriptors.checkpoint")
        found = [] if self.checkpoint == "raw" else [self.checkpoint]
        if self.model:
            found += sorted(map(str, Path(self.model).glob("*.safetensors")))
        return found

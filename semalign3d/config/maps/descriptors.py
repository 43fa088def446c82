"""Descriptor maps."""

from typing import Literal

from pydantic import Field

from ..section import Path, Section


class Descriptors(Section):
    """Descriptor maps of the photos (METHOD.md 1.4)."""

    source: Literal["geoaware", "dinov2", "dinov3", "files"] = Field(
        "geoaware",
        description="geoaware: feature files of GeoAware-SC. dinov2, dinov3: straight from the "
        "photos. files: maps of any encoder.",
    )
    root: Path = Field(
        None,
        description="geoaware: folder of <category>/<stem>_{dino,sd}[_flip].pt; null: the demo's "
        "own, demo only. files: folder of <category>/<stem>.npy and <stem>_flip.npy (channels x "
        "grid x grid), or one HDF5 file with datasets <category>/<stem> and <stem>_flip.",
    )
    checkpoint: Path = Field(
        None,
        description="Post-processor network, a plain state dict; raw: none. geoaware: "
        "GeoAware-SC's best_856.PTH; null: the demo's own, demo only. dinov2, dinov3: null: none.",
    )
    model: Path = Field(
        None,
        description="dinov2, dinov3: hub id or local folder. Null: facebook/dinov2-base, "
        "facebook/dinov3-vitb16-pretrain-lvd1689m.",
    )
    grid: int = Field(
        60,
        ge=4,
        le=256,
        description="dinov2, dinov3: cells along each side of the padded square. Photos are "
        "resized to grid x patch size.",
    )

"""One synthetic content written in the layouts of all datasets."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

from semalign3d.datasets import Dataset, open_dataset
from semalign3d.datasets.ap10k.dataset import KEYPOINTS as AP10K_KEYPOINTS
from semalign3d.datasets.pf_pascal.files import CATEGORIES as VOC

SPLITS = {"trn": ("a1", "b 2", "c(3)"), "val": ("d4", "e5"), "test": ("f6", "g7")}
"""Names with a space and with brackets among them."""
FILE_SPLITS = {"trn": "train", "val": "val", "test": "test"}
COUNT = 15
"""Keypoints, as many as SPair-71k's cats have."""


@dataclass(frozen=True)
class Content:
    """An image: stem, (W, H), [x1, y1, x2, y2], and (COUNT, 2) keypoints, NaN where unseen."""

    stem: str
    size: tuple[int, int]
    box: list[float]
    keypoints: np.ndarray


def make_content(seed: int = 0, more: int = 0) -> dict[str, list[Content]]:
    """{split: images}, with more training images than `SPLITS` names."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Content]] = {}
    stems_of = {**SPLITS, "trn": (*SPLITS["trn"], *(f"m{number}" for number in range(more)))}
    for split, stems in stems_of.items():
        found[split] = []
        for stem in stems:
            width, height = (int(v) for v in rng.integers(30, 60, 2))
            keypoints = rng.uniform(0, [width - 1, height - 1], (COUNT, 2)).round(1)
            keypoints[rng.permutation(COUNT)[:5]] = np.nan
            box = [2.0, 3.0, width - 4.0, height - 5.0]
            found[split].append(Content(stem, (width, height), box, keypoints))
    return found


def pair_names(content: Mapping[str, list[Content]], category: str) -> dict[str, list[str]]:
    """All ordered pairs of a split, in SPair-71k's form."""
    names: dict[str, list[str]] = {}
    for split, images in content.items():
        pairs = [(a.stem, b.stem) for a in images for b in images if a is not b]
        names[split] = [f"{i:06d}-{a}-{b}:{category}" for i, (a, b) in enumerate(pairs, 1)]
    return names


def pair_stems(name: str, category: str) -> list[str]:
    """Source and target of a pair's name."""
    return name.split("-", 1)[1].removesuffix(f":{category}").split("-")


def write_images(folder: Path, content: Mapping[str, list[Content]]) -> None:
    """Photos of noise, each its own."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for image in (image for images in content.values() for image in images):
        write_photo(folder / f"{image.stem}.jpg", image.size, rng)


def write_photo(path: Path, size: tuple[int, int], rng: np.random.Generator) -> None:
    """Coarse noise of a size (W, H), which is still there in a thumbnail."""
    pixels = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST).save(path)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_spair(root: Path, content: Mapping[str, list[Content]]) -> Dataset:
    category = "cat"
    write_images(root / "JPEGImages" / category, content)
    for image in (image for images in content.values() for image in images):
        places = {str(i): list(p) for i, p in enumerate(image.keypoints) if np.isfinite(p).all()}
        annotation = {
            "filename": f"{image.stem}.jpg",
            "image_width": image.size[0],
            "image_height": image.size[1],
            "bndbox": image.box,
            "kps": {str(i): places.get(str(i)) for i in range(30)},
        }
        write_json(root / "ImageAnnotation" / category / f"{image.stem}.json", annotation)
    (root / "Layout" / "large").mkdir(parents=True)
    by_stem = {image.stem: image for images in content.values() for image in images}
    for split, names in pair_names(content, category).items():
        (root / "Layout" / "large" / f"{split}.txt").write_text("\n".join(names))
        for name in names:
            both = [by_stem[stem] for stem in pair_stems(name, category)]
            write_json(root / "PairAnnotation" / split / f"{name}.json", spair_pair(*both))
    return open_dataset("spair-71k", root)


def spair_pair(source: Content, target: Content) -> dict[str, Any]:
    """What SPair-71k's file of a pair holds."""
    seen = np.isfinite(source.keypoints + target.keypoints).all(axis=1)
    grades = ("viewpoint_variation", "scale_variation", "truncation", "occlusion")
    return {
        "src_kps": source.keypoints[seen].tolist(),
        "trg_kps": target.keypoints[seen].tolist(),
        "kps_ids": [str(i) for i in np.flatnonzero(seen)],
        "trg_bndbox": target.box,
        **dict.fromkeys(grades, 0),
    }


def coco_triples(image: Content, count: int) -> list[float]:
    padded = np.full((count, 2), np.nan)
    padded[:COUNT] = image.keypoints
    return [v for x, y in padded for v in ((x, y, 2) if np.isfinite(x) else (0, 0, 0))]


def coco_content(
    images: list[Content], category: str, keypoints: tuple[str, ...]
) -> dict[str, Any]:
    """What a COCO-keypoint file of some images holds."""
    return {
        "images": [
            {"id": i, "file_name": f"{v.stem}.jpg", "width": v.size[0], "height": v.size[1]}
            for i, v in enumerate(images)
        ],
        "annotations": [
            {
                "id": i,
                "image_id": i,
                "category_id": 7,
                "bbox": [v.box[0], v.box[1], v.box[2] - v.box[0], v.box[3] - v.box[1]],
                "keypoints": coco_triples(v, len(keypoints)),
            }
            for i, v in enumerate(images)
        ],
        "categories": [{"id": 7, "name": category, "keypoints": list(keypoints)}],
    }


def write_coco(root: Path, content: Mapping[str, list[Content]], **options: Any) -> Dataset:
    names = tuple(f"point {i}" for i in range(COUNT))
    write_images(root / "photos", content)
    images = [image for images in content.values() for image in images]
    write_json(root / "cat.json", coco_content(images, "cat", names))
    lists = {split: [v.stem for v in content[split]] for split in ("val", "test")}
    given = {"annotations": root / "cat.json", **lists, **options}
    return open_dataset("coco", root / "photos", **given)


def write_ap10k(root: Path, content: Mapping[str, list[Content]]) -> Dataset:
    write_images(root / "data", content)
    for split, images in content.items():
        path = root / "annotations" / f"ap10k-{FILE_SPLITS[split]}-split1.json"
        write_json(path, coco_content(images, "cat", AP10K_KEYPOINTS))
    return open_dataset("ap-10k", root)


def write_ap10k_pairs(root: Path, content: Mapping[str, list[Content]]) -> Dataset:
    write_images(root / "JPEGImages" / "Felidae" / "cat", content)
    for split, images in content.items():
        whole = coco_content(images, "cat", AP10K_KEYPOINTS)
        for image, entry, annotation in zip(
            images, whole["images"], whole["annotations"], strict=True
        ):
            path = root / "ImageAnnotation" / "Felidae" / "cat" / f"{image.stem}.json"
            write_json(path, {**entry, **annotation})
        for name in pair_names(content, "cat")[split]:
            source, target = pair_stems(name, "cat")
            folder = "data/ap-10k/ImageAnnotation/Felidae/cat"
            paths = {
                "src_json_path": f"{folder}/{source}.json",
                "trg_json_path": f"{folder}/{target}.json",
            }
            write_json(root / "PairAnnotation" / split / f"{name}.json", paths)
    return open_dataset("ap-10k", root)


def write_pf_pascal(root: Path, content: Mapping[str, list[Content]]) -> Dataset:
    write_images(root / "JPEGImages", content)
    (root / "Annotations" / "cat").mkdir(parents=True)
    by_stem = {image.stem: image for images in content.values() for image in images}
    for image in by_stem.values():
        kps = np.full((COUNT + 1, 2), np.nan)
        kps[:COUNT] = image.keypoints
        savemat(root / "Annotations" / "cat" / f"{image.stem}.mat", {"kps": kps})
    for split, names in pair_names(content, "cat").items():
        with open(root / f"{FILE_SPLITS[split]}_pairs_pf_pascal.csv", "w", newline="") as file:
            writer = csv.writer(file)
            points = ["flip"] if split == "trn" else ["XA", "YA", "XB", "YB"]
            writer.writerow(["source_image", "target_image", "class", *points])
            for name in names:
                stems = pair_stems(name, "cat")
                paths = [f"PF-dataset-PASCAL/JPEGImages/{stem}.jpg" for stem in stems]
                both = np.stack([by_stem[stem].keypoints for stem in stems])
                both = both[:, np.isfinite(both).all(axis=(0, 2))]
                columns = [
                    ";".join(map(str, both[side, :, axis])) for side in (0, 1) for axis in (0, 1)
                ]
                rest = [["0"], ["1"]] if split == "trn" else [columns]
                writer.writerows([*paths, VOC.index("cat") + 1, *values] for values in rest)
    return open_dataset("pf-pascal", root)


WRITERS = {
    "spair-71k": write_spair,
    "coco": write_coco,
    "ap-10k": write_ap10k,
    "ap-10k pairs": write_ap10k_pairs,
    "pf-pascal": write_pf_pascal,
}

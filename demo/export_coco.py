"""A demo category as somebody's own: photos in one folder and a COCO-keypoint file.

python -m demo.export_coco results/demo chair --category "garden chair" --out own

It is what CVAT, Label Studio or COCO Annotator export after labelling;
docs/tutorial/own-category.md starts from it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from demo import files
from semalign3d.datasets import Dataset, ImageRecord, load_records, open_dataset

_BOTH = ("right", "left")
NAMES = {
    "chair": tuple(
        f"{side}_{part}"
        for part in (
            *("seat_front", "seat_back", "front_foot", "back_foot"),
            *("backrest_top", "armrest_front", "armrest_back"),
        )
        for side in _BOTH
    ),
    "aeroplane": (
        *("nose", "windscreen_foot", "cockpit_top", "belly"),
        *(
            f"{side}_{part}"
            for part in (
                *("wing_root_front", "wing_tip_front", "wing_tip_rear", "wing_root_rear"),
                *("engine_front", "engine_rear"),
                *("tailplane_tip_front", "tailplane_tip_rear", "tailplane_root_front"),
            )
            for side in _BOTH
        ),
        *("fin_root_front", "fin_tip", "tail_end"),
    ),
}


def coco_object(record: ImageRecord, number: int, file_name: str) -> tuple[dict[str, Any], ...]:
    """The entries of an image and of its object in a COCO-keypoint file."""
    image = {
        "id": number,
        "file_name": file_name,
        "width": record.width,
        "height": record.height,
    }
    x1, y1, x2, y2 = record.box
    triples = np.nan_to_num(np.column_stack([record.keypoints, 2.0 * record.visible]))
    annotation = {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": 0,
        "num_keypoints": int(record.visible.sum()),
        "keypoints": triples.ravel().tolist(),
    }
    return image, annotation


def export(dataset: Dataset, category: str, new_name: str, out: Path) -> int:
    """Write `out`/photos and `out`/annotations.json; returns the number of photos.

    Parameters
    ----------
    dataset : the demo's.
    category : one of `NAMES`.
    new_name : what the category is called in the file; the photos are numbered under it.
    """
    images, annotations = [], []
    records = load_records(dataset, category, dataset.splits(category))
    for number, record in enumerate(records, 1):
        file_name = f"{new_name} {number:03d}.jpg"
        files.write_bytes(out / "photos" / file_name, record.path.read_bytes())
        image, annotation = coco_object(record, number, file_name)
        images.append(image)
        annotations.append(annotation)
    named = {"id": 1, "name": new_name, "supercategory": "", "keypoints": list(NAMES[category])}
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{**named, "skeleton": []}],
    }
    files.write_json(out / "annotations.json", content)
    return len(records)


def main() -> None:
    """Export what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path, help="the demo's folder, such as results/demo")
    parser.add_argument("demo_category", choices=NAMES)
    parser.add_argument("--category", help="what to call it (the same)")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    name = given.category or given.demo_category
    count = export(open_dataset("demo", given.root), given.demo_category, name, given.out)
    print(f"{count} photos and annotations.json in {given.out}")


if __name__ == "__main__":
    main()

"""`semalign3d match`: points of one photo found in another one, through a prior."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from ..datasets import ImageRecord


def add_parser(commands: Any) -> None:
    """Add the command `match`."""
    parser = commands.add_parser(
        "match",
        help="find points of one photo in another one",
        description="Place a prior in two photos of its category, find points of the first photo "
        "in the second, print them and draw both photos with lines.",
    )
    parser.add_argument("prior", help="prior file, such as results/priors/chair.h5")
    parser.add_argument("source", help="photo with the points")
    parser.add_argument("target", help="photo in which they are sought")
    parser.add_argument(
        "--points",
        nargs="+",
        required=True,
        type=point,
        metavar="X,Y",
        help="pixels of the source photo",
    )
    given = parser.add_mutually_exclusive_group()
    given.add_argument(
        "--descriptors",
        nargs=2,
        metavar=("SOURCE_H5", "TARGET_H5"),
        help="the photos' files under results/descriptors",
    )
    given.add_argument(
        "--features",
        metavar="FOLDER",
        help="folder of the photos' feature files or maps, laid out as those that the prior was "
        "made with; without either option that folder, or the encoder",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="PTH",
        help="post-processor of the features, or raw; by default the one of the prior",
    )
    parser.add_argument(
        "--exif",
        choices=("stored", "turned"),
        help="how photos are read that their EXIF data turn in viewers; by default as their files "
        "under --descriptors say, else as dataset.exif of the prior, where auto means turned",
    )
    parser.add_argument("--device", default="auto", help="for the networks, by default auto")
    parser.add_argument("--output", default="matches.png", help="picture, by default matches.png")
    parser.set_defaults(run=run)


def point(text: str) -> tuple[float, float]:
    """The two numbers of "x,y"; an error that argparse shows otherwise."""
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected x,y such as 120,80, found {text!r}") from None
    return x, y


def run(given: argparse.Namespace) -> int:
    """Print a line per match and draw them."""
    from ..figures.matches import draw_matches
    from ..figures.save import save_figure
    from ..prior import Prior

    prior = Prior.load(given.prior)
    paths = (given.source, given.target)
    photos = photo_records(given, prior)
    source, target = (photo.pixels() for photo in photos)
    sizes = [(photo.shape[1], photo.shape[0]) for photo in (source, target)]
    queries = np.array(given.points)
    check_inside(queries, sizes[0], given.source)
    check_names(paths)
    maps = photo_descriptors(given, prior, photos)
    placed = [prior.align(found, size) for found, size in zip(maps, sizes, strict=True)]
    matches = prior.match(placed[0], placed[1], queries)
    print("source_x\tsource_y\ttarget_x\ttarget_y\tconfidence")
    for query, found, sure in zip(queries, matches.points, matches.confidence, strict=True):
        print(f"{query[0]:g}\t{query[1]:g}\t{found[0]:.1f}\t{found[1]:.1f}\t{sure:.2f}")
    for path, alignment in zip(paths, placed, strict=True):
        name = Path(path).name
        print(f"{name}: pose with confidence {alignment.confidence:.2f}", file=sys.stderr)
    figure = draw_matches(source, target, queries, matches.points, matches.confidence)
    save_figure(figure, given.output)
    print(f"drawn in {given.output}", file=sys.stderr)
    return 0


def check_inside(points: np.ndarray, size: tuple[int, int], path: str) -> None:
    """Refuse points (n, 2) outside a photo of (W, H) pixels; names all of them."""
    inside = np.all((points >= -0.5) & (points <= np.array(size) - 0.5), axis=1)
    if not inside.all():
        outside = ", ".join(f"{x:g},{y:g}" for x, y in points[~inside])
        raise InputError(
            f"--points: {outside}: outside {path}, which has {size[0]} x {size[1]} pixels"
        )


def check_names(paths: tuple[str, str]) -> None:
    """Refuse two photos of one name, since files of features go by the name."""
    first, second = map(Path, paths)
    if first.stem == second.stem and first.resolve() != second.resolve():
        raise InputError(f"{first} and {second}: expected two names, found {first.stem} twice")


def photo_records(given: argparse.Namespace, prior: Any) -> list["ImageRecord"]:
    """Records of both photos, without labels: which way round they are read."""
    from ..datasets.orientation import unlabelled
    from ..files import store

    section = prior.settings["dataset"]
    options = {"max_megapixels": section["max_megapixels"]} if "max_megapixels" in section else {}
    chosen = given.exif or section.get("exif")
    records = []
    for number, path in enumerate((given.source, given.target)):
        turned = chosen != "stored"
        if given.descriptors and not given.exif:
            with store.open_checked(given.descriptors[number]) as file:
                turned = store.attributes(file).get("turned", turned)
        records.append(unlabelled(path, prior.category, turned=turned, **options))
        if records[-1].turned:
            print(f"{path}: read as its EXIF data turn it (--exif turned)", file=sys.stderr)
    return records


def photo_descriptors(
    given: argparse.Namespace, prior: Any, photos: Sequence["ImageRecord"]
) -> list[np.ndarray]:
    """Maps (G, G, C) of both photos, from files of the pipeline or made as the prior's own."""
    from ..files import store

    if given.descriptors:
        return [
            store.read(path, "descriptors")["descriptors"][0].astype(np.float32)
            for path in given.descriptors
        ]
    from ..device import pick_device
    from ..maps.descriptors.geoaware import RAW
    from ..maps.descriptors.sources import open_source
    from ..maps.descriptors.vit import DEFAULT_MODELS

    settings = prior.settings["descriptors"]
    kind, by_encoder = settings["source"], settings["source"] in DEFAULT_MODELS
    root = given.features or settings["root"]
    checkpoint = given.checkpoint or settings["checkpoint"]
    missing = [] if root or by_encoder else ["--features"]
    missing += ["--checkpoint"] if kind == "geoaware" and not checkpoint else []
    if missing:
        raise InputError(
            f"{' and '.join(missing)} not given, and the prior does not name any",
            hint="Give what is missing, or --descriptors with two files of results/descriptors.",
        )
    source = open_source(
        kind,
        category=prior.category,
        root=root or "",
        checkpoint=checkpoint or RAW,
        model=settings["model"] or DEFAULT_MODELS.get(kind, ""),
        grid=settings["grid"],
        photo={photo.stem: photo for photo in photos}.__getitem__,
        device=lambda: pick_device(given.device),
    )
    return [source.encode(photo.stem)[0] for photo in photos]

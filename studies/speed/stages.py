"""Time and memory of every stage: `python -m studies.speed stages`, `--help` for smaller runs."""

import argparse
import json
import logging
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from . import chain, report
from .convolutions import stage_seconds
from .data import dataset
from .data.features import write_checkpoint
from .startup import scripts, startup_times
from .summary import Case, summarise

logger = logging.getLogger("studies.speed")

PARTS = ("startup", "convolutions", "published")
"""Of the benchmark, beside the stages themselves."""
DOCS = Path(__file__).parents[2] / "docs"
PICTURE = "![CPU time of the stages against keypoints and images](../images/benchmarks.png)"


def parse(arguments: list[str]) -> argparse.Namespace:
    known = dataset.categories()
    parser = argparse.ArgumentParser(prog="python -m studies.speed stages", description=__doc__)
    add = parser.add_argument
    add("--keypoints", type=int, nargs="+", default=[14, 25, 30], choices=sorted(known))
    add("--images", type=int, nargs="+", default=[24, 53, 106])
    add("--repeat", type=int, default=5, help="runs of the geometry of the fewest images")
    add("--cores", type=int, default=2)
    add("--visible", type=float, default=0.58, help="share of the keypoints seen in an image")
    add("--points", type=int, default=2000, help="sampled points of an image")
    add("--surface-points", type=int, default=1000, help="points of the dense prior")
    add("--without", nargs="+", default=[], choices=PARTS, help="leave parts out")
    add("--output", type=Path, default=Path("results/benchmarks"), help="folder of what is written")
    add("--docs", action="store_true", help="also renew docs/studies/speed.md and its picture")
    given = parser.parse_args(arguments)
    if min(given.images) < 8 or given.repeat < 1 or not 0.0 < given.visible <= 1.0:
        parser.error("expected at least 8 images, 1 repeat, and a visible share in (0, 1]")
    return given


def settings(base: Path, options: argparse.Namespace, category: str, images: int) -> dict:
    """The configuration for the first images of a category, whose lists are made if needed."""
    root = base / f"data-{category}-{images}"
    if not root.exists():
        dataset.write_subset(root, base / "whole", category, images)
    checkpoint = base / "post_processor.pth"
    return dataset.config(base / "whole", root, checkpoint, options.points, options.surface_points)


def measure_convolutions(base: Path, options: argparse.Namespace) -> dict[str, float]:
    """CPU seconds for one map of the stage, of its encoder, and of the convolutions alone, as they
    are defined and as they are computed."""
    category, checkpoint = dataset.categories()[options.keypoints[0]], base / "post_processor.pth"
    features = base / "whole" / "features"
    inner = _module("convolutions", features, category, checkpoint, options.repeat)
    stage = stage_seconds(
        base, category, lambda images: settings(base, options, category, images), options.repeat
    )
    return {"stage": stage, **inner}


def run_case(
    base: Path, options: argparse.Namespace, keypoints: int, images: int, first: Path | None
) -> Case:
    """Run the pipeline for a case; `first` is an earlier case's folder with the same images."""
    category = dataset.categories()[keypoints]
    folder = base / f"run-{category}-{images}"
    config = settings(base, options, category, images)
    if first is not None:
        chain.share_descriptors(folder, category, first, first.name.split("-")[1])
    image = dataset.stems(images)[0]
    stages = ("descriptors", "masks", "depth")
    targets = [f"results/{stage}/{category}/{image}.h5" for stage in stages]
    before = chain.run(
        folder, [*targets, f"results/manifest/{category}.csv"], config, options.cores
    )
    geometry = []
    # Medians where the targets are; many images take long, and vary less.
    repeat = options.repeat if images == min(options.images) else 1
    for number in range(repeat):
        if number:
            chain.forget_geometry(folder)
        logger.info("K=%d N=%d: run %d of %d", keypoints, images, number + 1, repeat)
        geometry.append(chain.run(folder, [f"results/priors/{category}.h5"], config, options.cores))
    published = {}
    if "published" not in options.without and images == min(options.images):
        logger.info("K=%d N=%d: published construction", keypoints, images)
        published = _module("published.yardstick", folder / "results", category)
    return summarise(keypoints, images, before, geometry, published)


def _module(name: str, *arguments: object) -> dict:
    """What a module of this package prints, run as a process of its own, on one thread."""
    line = [sys.executable, "-m", f"studies.speed.{name}", *map(str, arguments)]
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        line,
        cwd=chain.REPOSITORY,
        env={**os.environ, **one_thread},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def run_cases(base: Path, options: argparse.Namespace) -> Iterator[Case]:
    """Case after case; descriptors, which K plays no part in, are computed once for each N."""
    for images in sorted(options.images):
        categories = [dataset.categories()[keypoints] for keypoints in sorted(options.keypoints)]
        folders = [base / f"run-{category}-{images}" for category in categories]
        whole = run_case(base, options, min(options.keypoints), images, None)
        yield whole
        for keypoints, folder in zip(sorted(options.keypoints)[1:], folders[1:], strict=True):
            case = run_case(base, options, keypoints, images, folders[0])
            stages = case.stages | {"descriptors": whole.stages["descriptors"]}
            yield replace(case, stages=stages)
            shutil.rmtree(folder)
        shutil.rmtree(folders[0])


def machine() -> str:
    """The processor's name."""
    names = [platform.processor() or platform.machine()]
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}"


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = parse(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "-m", "studies.speed", "stages", *arguments])
    about = {"command": command, "machine": machine()}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        base = Path(folder)
        write_checkpoint(base / "post_processor.pth")
        for keypoints in options.keypoints:
            category = dataset.categories()[keypoints]
            dataset.write_category(base / "whole", category, max(options.images), options.visible)
        startup, convolutions = {}, {}
        if "startup" not in options.without:
            startup = startup_times(scripts(), options.repeat)
        if "convolutions" not in options.without:
            convolutions = measure_convolutions(base, options)
        cases: list[Case] = []
        for case in run_cases(base, options):
            cases = sorted([*cases, case], key=lambda case: (case.keypoints, case.images))
            # After each case, so that an hour's work is not lost when the next one is stopped.
            text = write(options.output, cases, startup, convolutions, about)
    if options.docs:
        report.replace_between_markers(DOCS / "studies" / "speed.md", f"{PICTURE}\n\n{text}")
        shutil.copyfile(options.output / "benchmarks.png", DOCS / "images" / "benchmarks.png")
    print(text)


def write(
    folder: Path,
    cases: list[Case],
    startup: dict[str, float],
    convolutions: dict[str, float],
    about: dict[str, str],
) -> str:
    """JSON, picture and tables of the cases in a folder; the tables are returned, too."""
    report.write_json(folder / "benchmarks.json", cases, startup, convolutions, **about)
    report.draw(folder / "benchmarks.png", cases)
    text = report.markdown(cases, startup, convolutions, **about)
    (folder / "benchmarks.md").write_text(text)
    return text

"""Prepared COCO categories through the whole pipeline, and a page of what came of them.

python -m studies.real run FOLDER... [--guide none mask box] [--output PAGE]

Each folder holds a config.yaml for the pipeline, which runs in the folder. Folders of one category
are folds of it: their pairs are counted together.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from semalign3d.errors import InputError
from studies.real.page import Measured, as_markdown, copy_pictures, table, write_page
from studies.real.pipeline import matches_of, open_fold, placements, run_pipeline

GUIDES = ("none", "mask", "box")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; arguments are those of the command line if None."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="each with a config.yaml")
    parser.add_argument(
        "--guide", nargs="+", choices=GUIDES, default=["none"], help="of alignment.guide, in turn"
    )
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, help="folder of the page; by default in the first")
    given = parser.parse_args(arguments)
    output = given.output or given.folders[0] / "page"
    measured, pictures = [], []
    try:
        folds = [open_fold(folder) for folder in given.folders]
        for fold in folds:
            for guide in given.guide:
                run_pipeline(fold, guide, given.cores)
                measured.append(Measured(fold, guide, matches_of(fold), placements(fold)))
                pictures.append(copy_pictures(measured[-1], output))
                print(as_markdown(table(measured[-1:])), flush=True)
    except InputError as error:
        parser.exit(1, f"{error}\n")
    page = write_page(measured, pictures, output)
    print(f"\n{as_markdown(table(measured))}\n\n{page}")

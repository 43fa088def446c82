"""Keypoint and surface queries of the demo's test pairs, as they are and made worse.

python -m studies.matching score results/priors/chair.h5 results/priors/aeroplane.h5
"""

from collections.abc import Sequence

import pandas as pd
from threadpoolctl import threadpool_limits

from studies.matching.cases import CASES, Scores, align_photos, score
from studies.matching.commands import (
    add_cases,
    as_markdown,
    averages,
    chosen_cases,
    figures,
    open_setup,
    options,
    report,
)


@threadpool_limits.wrap(limits=1)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; arguments are those of the command line if None."""
    parser = options(str(__doc__).splitlines()[0])
    add_cases(parser, CASES)
    parser.add_argument("--split", choices=["val", "test"], default="test")
    given = parser.parse_args(arguments)
    rows: list[dict[str, object]] = []
    unchanged: dict[str, Scores] = {}
    for path in given.priors:
        for case in chosen_cases(given):
            setup = open_setup(given, path, given.split, case)
            found = score(setup, align_photos(setup), surface_points=given.surface_points)
            names_of = {"category": setup.prior.category, "case": case.name}
            if case is CASES[0]:
                unchanged[setup.prior.category] = found
            rows.append({**names_of, **figures(found), "images": len(setup.photos)})
    report(rows, given)
    if unchanged:
        print(f"\nEvery average of the photos {CASES[0].name}:\n")
        print(as_markdown(pd.DataFrame(averages(unchanged))))

"""Keypoint and surface queries of the demo's test pairs, as they are and made worse.

python -m demo.matching.score results/priors/chair.h5 results/priors/aeroplane.h5
"""

from demo.matching.cases import CASES, align_photos, score
from demo.matching.commands import figures, open_setup, options, report


def main() -> None:
    parser = options(str(__doc__).splitlines()[0])
    names = [case.name for case in CASES]
    parser.add_argument("--cases", nargs="+", choices=names, default=names)
    parser.add_argument("--split", choices=["val", "test"], default="test")
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    for path in given.priors:
        for case in (case for case in CASES if case.name in given.cases):
            setup = open_setup(given, path, given.split, case)
            found = score(setup, align_photos(setup), surface_points=given.surface_points)
            names_of = {"category": setup.prior.category, "case": case.name}
            rows.append({**names_of, **figures(found), "images": len(setup.photos)})
    report(rows, given)


if __name__ == "__main__":
    main()

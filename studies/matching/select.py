"""The constants of alignment and matching, compared on the demo's validation pairs alone.

Each constant is tried at other values while the rest stay at their defaults, on the photos as they
are, with noisy descriptors, and partly covered. The score is the mean of PCK@0.1 and @0.05 of
keypoint and surface queries over categories and cases.

python -m studies.matching select results/priors/chair.h5 results/priors/aeroplane.h5
"""

from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from studies.matching.cases import CASES
from studies.matching.commands import options, report
from studies.matching.compare import scored
from studies.matching.variants import around

SELECTED_ON = ("as they are", "noise 1", "30 % covered")
SELECTION_CASES = tuple(case for case in CASES if case.name in SELECTED_ON)


@threadpool_limits.wrap(limits=1)
def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(str(__doc__).splitlines()[0])
    given = parser.parse_args(arguments)
    report(scored(given, "val", SELECTION_CASES, around()), given)

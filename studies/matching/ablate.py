"""Every term and step of alignment and matching off in turn, on the demo's test pairs.

python -m studies.matching ablate results/priors/chair.h5 results/priors/aeroplane.h5
"""

from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from studies.matching.cases import CASES
from studies.matching.commands import add_cases, chosen_cases, options, report
from studies.matching.compare import scored
from studies.matching.variants import ABLATIONS


@threadpool_limits.wrap(limits=1)
def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(str(__doc__).splitlines()[0])
    add_cases(parser, CASES[:1])
    given = parser.parse_args(arguments)
    report(scored(given, "test", chosen_cases(given), ABLATIONS), given)

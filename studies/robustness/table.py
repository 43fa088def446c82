"""The robustness table in Markdown and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from demo.plan import DEFAULT
from studies.robustness.cases import CASES, CLEAN, Case, Conditions
from studies.robustness.run import Result

Results = Mapping[Conditions, Sequence[Result]]
"""Of each condition, the results of all categories and seeds."""

_HEAD = """# Robustness

How far priors of the demo's categories are from the truth when their input gets worse.
Made by `{command}`.

![Errors of keypoints and surface under each condition]({plot})

Errors in per cent of the bounding box's diagonal: median over {seeds} seeds (the worst in
brackets). *Keypoints*: root mean square distance from the mean shape of the training objects, after
similarity alignment. *Surface*: sum of both directions of the chamfer distance between the dense
points and the visible surface of the mean shape. *Unused*: keypoints that the data don't
determine, summed over the seeds; the prior marks them with a reason. *Failures*: seeds without a
prior, with an unhandled error or with the wrong handedness.

"""
_NOTES = """
The clean case: {clean.images} training images from all sides, object proportions within
{clean.spread:.0%} of the mean, depth that is affine in inverse depth in each image, smoothed, with
a noise of {clean.depth_noise:.0%} of the object's range, and outlines off by a pixel at most.
Every other row changes one thing:

- **images**: so many training images (the default demo has {default}).
- **depth noise**: its standard deviation, in the object's range of inverse depth; most of it is
  smooth, as a network's errors are.
- **masks**: each mask overlaps the true one by 0.8: it is too small, too large or off by smooth
  bulges, and half of them have lost their thin parts.
- **views, one side**: all cameras within 120 degrees of azimuth, another range for each seed.
- **keypoints, 10% bad**: half of them swapped left and right, half displaced by 20 % of the box.
- **spread**: the largest relative difference of an object's proportions from the mean.
"""


def markdown(found: Results, categories: Sequence[str], command: str, plot: str) -> str:
    """The whole page.

    Parameters
    ----------
    found : results of all of `CASES`
    categories : columns of the table
    command : that makes the page
    plot : path of the picture, from the page
    """
    names = [f"{category}: {part}" for category in categories for part in ("keypoints", "surface")]
    header = ["", *names, *(f"{category}: unused" for category in categories), "failures"]
    rows = [header, ["---"] * len(header), *(_row(case, found, categories) for case in CASES)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    results = [result for of_case in found.values() for result in of_case]
    head = _HEAD.format(command=command, plot=plot, seeds=len({r.seed for r in results}))
    notes = _NOTES.format(clean=CLEAN, default=DEFAULT.trn)
    return head + table + notes + _unrefined(found[CLEAN], categories) + _endings(results)


def _unrefined(results: Sequence[Result], categories: Sequence[str]) -> str:
    """What bundle refinement starts from."""
    errors = {
        category: [r.start for r in results if r.category == category and r.start is not None]
        for category in categories
    }
    told = ", ".join(f"{name} {_median_and_worst(values)}" for name, values in errors.items())
    return f"\nKeypoints of lowest energy, before bundle refinement, in the clean case:\n{told}.\n"


def _row(case: Case, found: Results, categories: Sequence[str]) -> list[str]:
    of_category = [[r for r in found[case.conditions] if r.category == c] for c in categories]
    errors = [
        _median_and_worst([getattr(r, part) for r in results if getattr(r, part) is not None])
        for results in of_category
        for part in ("sparse", "dense")
    ]
    unused = [f"{sum(len(r.unused) for r in results)}" for results in of_category]
    failed = [text for r in found[case.conditions] if (text := failure(r))]
    name = f"**{case.name}**" if not case.group else f"{case.group}: {case.name}"
    return [name, *errors, *unused, _counted(failed) or "none"]


def failure(result: Result) -> str:
    """What went wrong, in two words; empty if a prior of the right handedness came out."""
    if result.crashed:
        return "unhandled error"
    if result.refused:
        return "no prior"
    return "wrong handedness" if result.mirrored else ""


def _median_and_worst(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{100 * np.median(values):.1f} ({100 * max(values):.1f})"


def _counted(texts: Sequence[str]) -> str:
    return ", ".join(f"{text} {count}x" for text, count in Counter(texts).most_common())


def _endings(results: Sequence[Result]) -> str:
    """Why keypoints are unused, and how failures were told."""
    reasons = Counter(reason for result in results for reason in result.unused.values())
    lines = [f"- {count} times: {reason}\n" for reason, count in reasons.most_common()]
    text = "\nReasons of the unused keypoints:\n\n" + "".join(lines) if lines else ""
    errors = Counter(result.refused or result.crashed for result in results)
    errors.pop("", None)
    lines = [f"- {count} times: {error}\n" for error, count in errors.most_common()]
    return text + ("\nErrors:\n\n" + "".join(lines) if lines else "")


def as_json(found: Results, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All results, with their conditions and the pipeline's settings."""
    return {
        "settings": dict(settings),
        "cases": [
            {
                "group": case.group,
                "name": case.name,
                "conditions": case.conditions.values(),
                "results": [asdict(result) for result in found[case.conditions]],
            }
            for case in CASES
        ],
    }

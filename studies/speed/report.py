"""The measured costs as a table in Markdown, as JSON, and as a picture."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .summary import Case, growth

START, END = "<!-- made by python -m studies.speed stages -->", "<!-- end -->"
PARTS = {"fit": "Beta fits one at a time", "place": "greedy placing", "refine": "Adam"}


def markdown(
    cases: Sequence[Case],
    startup: Mapping[str, float],
    convolutions: Mapping[str, float],
    command: str,
    machine: str,
) -> str:
    """All tables; `command` and `machine` say how and where they were made."""
    parts = [
        f"`{command}` on {machine}.",
        _cost_table(cases, growth(cases, dict(startup))),
        _sum_table(cases),
        _published_table([case for case in cases if case.published]),
        _convolution_line(convolutions),
        _startup_line(startup),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _heads(cases: Sequence[Case]) -> list[str]:
    return [f"K={case.keypoints} N={case.images}" for case in cases]


def _cost_table(cases: Sequence[Case], exponents: Mapping[str, tuple[float, float]]) -> str:
    rows = []
    for stage in dict.fromkeys(name for case in cases for name in case.stages):
        cells = [
            f"{case.stages[stage].cpu:.1f} / {case.stages[stage].peak_mb:.0f}"
            if stage in case.stages
            else ""
            for case in cases
        ]
        rows.append([stage, *cells, *map(_exponent, exponents.get(stage, (math.nan, math.nan)))])
    title = "CPU seconds / peak memory in MB of each stage; time grows as K^a N^b:\n\n"
    return title + _table(["stage", *_heads(cases), "a", "b"], rows)


def _exponent(value: float) -> str:
    return "" if math.isnan(value) else f"{round(value, 1) + 0.0:.1f}"  # no -0.0


def _sum_table(cases: Sequence[Case]) -> str:
    rows = [
        ["relations, sparse, bundle: CPU s", *(f"{case.sparse_cpu:.1f}" for case in cases)],
        ["geometry up to the prior: CPU s", *(f"{case.geometry_cpu:.1f}" for case in cases)],
        [
            "the same, wall clock s, Snakemake included",
            *(f"{case.geometry_wall:.1f}" for case in cases),
        ],
        ["largest peak memory: MB", *(f"{case.peak_mb:.0f}" for case in cases)],
    ]
    return _table(["together", *_heads(cases)], rows)


def _published_table(cases: Sequence[Case]) -> str:
    """Ours counts with the starts of its processes, the published one without."""
    if not cases:
        return ""
    rows = []
    for case in cases:
        found = case.published
        parts = [
            f"{found[part]['seconds']:.1f} ({found[part]['timed']:.0f} of {found[part]['of']:.0f})"
            for part in PARTS
        ]
        whole = sum(part["seconds"] for part in found.values())
        ours = case.stages["relations"].cpu + case.stages["sparse"].cpu
        name = f"K={case.keypoints} N={case.images}"
        rows.append([name, *parts, f"{whole:.0f}", f"{ours:.1f}", f"{whole / ours:.0f}"])
    title = (
        "The published construction on the same data, CPU seconds, extrapolated from as many of "
        "the fits, evaluations of a relation on the grid, and Adam steps as stand in brackets:\n\n"
    )
    header = ["case", *PARTS.values(), "together", "relations and sparse", "ratio"]
    return title + _table(header, rows)


def _convolution_line(convolutions: Mapping[str, float]) -> str:
    if not convolutions:
        return ""
    ms = {name: f"{1000.0 * seconds:.0f} ms" for name, seconds in convolutions.items()}
    share = {
        (part, whole): f"{100.0 * convolutions[part] / convolutions[whole]:.0f} %"
        for part in ("defined", "small_first")
        for whole in ("stage", "encoder")
    }
    return (
        f"Descriptors: {ms['stage']} of CPU time for each map, from file to file, {ms['encoder']} "
        f"of it in the encoder. The network's convolutions alone take {ms['defined']} as it is "
        f"defined, {share['defined', 'stage']} of what the stage takes with all else; those that "
        f"are left when small maps are resized after them take {ms['small_first']}, "
        f"{share['small_first', 'stage']} of the stage and "
        f"{share['small_first', 'encoder']} of the encoder."
    )


def _startup_line(startup: Mapping[str, float]) -> str:
    if not startup:
        return ""
    times = ", ".join(f"{name} {seconds:.2f}" for name, seconds in startup.items())
    return f"CPU seconds before a process does anything: {times}."


def write_json(
    path: Path,
    cases: Sequence[Case],
    startup: Mapping[str, float],
    convolutions: Mapping[str, float],
    **about: Any,
) -> None:
    """All that was measured, and how time grows."""
    exponents = {
        stage: {"keypoints": _or_none(a), "images": _or_none(b)}
        for stage, (a, b) in growth(cases, dict(startup)).items()
    }
    content = {
        **about,
        "cases": [case.as_dict() for case in cases],
        "growth": exponents,
        "startup": dict(startup),
        "convolutions": dict(convolutions),
    }
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def replace_between_markers(page: Path, text: str) -> None:
    """Put the tables into a page of documentation, between its two markers.

    Raises
    ------
    ValueError : the page lacks them.
    """
    content = page.read_text()
    if content.count(START) != 1 or content.count(END) != 1:
        raise ValueError(f"{page}: expected the lines {START} and {END}, once each")
    head, rest = content.split(START)
    page.write_text(f"{head}{START}\n\n{text}\n{END}{rest.split(END)[1]}")


def draw(path: Path, cases: Sequence[Case]) -> None:
    """CPU seconds against K (at the most images) and N (at the most keypoints), log-log."""
    from matplotlib.figure import Figure

    from semalign3d.figures.save import save_figure

    most = max(case.images for case in cases), max(case.keypoints for case in cases)
    panels = (
        ("keypoints", f"{most[0]} images", [case for case in cases if case.images == most[0]]),
        ("images", f"{most[1]} keypoints", [case for case in cases if case.keypoints == most[1]]),
    )
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    stages = list(dict.fromkeys(name for case in cases for name in case.stages))
    for axes, (of, title, chosen) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
        for number, stage in enumerate(stages):
            with_it = sorted(
                (getattr(case, of), case.stages[stage].cpu)
                for case in chosen
                if stage in case.stages
            )
            if with_it:
                style = {"marker": "os^DvPX"[number % 7], "color": f"C{number % 10}"}
                axes.plot(*zip(*with_it, strict=True), label=stage, markersize=4, **style)
        places = sorted({getattr(case, of) for case in chosen})
        axes.set(xscale="log", yscale="log", xlabel=of, title=title)
        axes.set_xticks(places, [str(place) for place in places])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("CPU seconds")
    figure.legend(*figure.axes[1].get_legend_handles_labels(), loc="outside right upper")
    save_figure(figure, path)

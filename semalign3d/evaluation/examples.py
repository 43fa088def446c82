"""Which pairs to show of many."""

import numpy as np
import pandas as pd


def example_pairs(
    matches: pd.DataFrame, count: int, alpha: float, before: str, after: str
) -> list[str]:
    """Names of pairs from where one method gains most on another to where it loses most.

    Parameters
    ----------
    matches : see `semalign3d.evaluation.tables.match_rows`.
    count : at most so many pairs, evenly spaced in the order of the gain.
    alpha : up to which error a match is right.
    before, after : the two methods.
    """
    right = matches[[f"{after}_error", f"{before}_error"]] <= alpha
    shares = right.groupby(matches["pair"]).mean()
    gain = (shares[f"{after}_error"] - shares[f"{before}_error"]).sort_index()
    ordered = gain.sort_values(ascending=False, kind="stable").index
    chosen = np.unique(np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round())
    return [str(ordered[int(i)]) for i in chosen]

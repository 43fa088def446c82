"""python -m studies.robustness table|annotations|score"""

from studies.shared.commands import run

run("robustness", {"table": "measure", "annotations": "annotations", "score": "score"})

"""python -m studies.dense steps"""

from studies.shared.commands import run

run("dense", {"steps": "ablation"})

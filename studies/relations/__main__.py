"""python -m studies.relations budget"""

from studies.shared.commands import run

run("relations", {"budget": "budget"})

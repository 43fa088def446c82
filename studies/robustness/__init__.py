"""How far priors stay near the truth when their input gets worse.

python -m demo.robustness --seeds 5 --out docs/robustness.md
"""

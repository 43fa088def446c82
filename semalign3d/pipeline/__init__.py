"""Snakemake's side of the project: what the Snakefile and the scripts share."""

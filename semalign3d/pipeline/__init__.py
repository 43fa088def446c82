"""What the Snakefile and its scripts need of Snakemake's side; testable without Snakemake."""

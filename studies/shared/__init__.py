"""What studies share: setups, scores against the truth, tables, plots."""

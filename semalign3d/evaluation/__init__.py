"""Matches of annotated pairs and how right they are: baselines, PCK with intervals, tables."""

"""Sections of what each photo is turned into."""

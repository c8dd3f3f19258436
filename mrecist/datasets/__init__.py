"""Datasets of a submission: a small typed model and its writers (SAS XPT version 5, Dataset-JSON 1.1, CSV).

What a dataset says lies elsewhere; here is what every one of them has: a name, variables with their metadata, rows.
"""

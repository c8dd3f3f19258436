"""A study and its results to DICOM objects: what ``mrecist export`` does."""

"""Which lesion of one read is which lesion of another: by where their masks lie (docs/matching.md)."""

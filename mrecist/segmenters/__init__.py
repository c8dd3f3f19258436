"""Who proposes a mask: the built-in graph cut, or another segmenter that is plugged in. No files, no screen (docs/segmenters.md)."""

"""The reading room in napari. Everything that is read, measured and kept is in mrecist.session; this shows it."""

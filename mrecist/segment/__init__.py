"""Lesion masks from a line or a click, as proposals that a reader accepts or mends. Arrays in, arrays out; no files, no screen."""

"""Mask and geometry in, diameters and volumes out. No image values, no DICOM, no criteria."""

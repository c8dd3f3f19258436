"""DICOM and NIfTI in: series with a verdict on their geometry, volumes in LPS mm, contrast phase, lesion masks."""

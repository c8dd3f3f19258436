"""DICOM objects that hold a read: segmentations and structured reports (docs/dicom-objects.md)."""

"""The sample study: phantoms whose true diameters are known, written as DICOM, the same bytes every time."""

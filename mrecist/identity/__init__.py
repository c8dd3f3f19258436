"""What still identifies a patient in DICOM that is meant to be de-identified, and what de-identification broke.

``attributes`` names the attributes, ``elements`` looks at one file, ``across`` compares files (references, dates, times),
``check`` does both for a folder. Values are never printed: a finding shows their length and kind of characters.
"""

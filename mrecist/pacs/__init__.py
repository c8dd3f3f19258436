"""Images from a PACS, and segmentations and reports back to it, over DICOMweb (PS3.18) or DIMSE (PS3.4, PS3.7).

Pure parts: ``server`` (which archive, in TOML), ``query`` (what is asked for, and what of the answer is that), ``folder``
(names, whole files, what is there already), ``patience`` (retries). ``fetch`` and ``send`` put them together. ``web`` and
``dimse`` are the two transports; they need the extra ``network``.
"""

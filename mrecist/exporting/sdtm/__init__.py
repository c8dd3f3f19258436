"""What ``assess`` or ``score`` wrote, as SDTM: ``mrecist export sdtm`` (docs/sdtm.md).

``results`` is read into reads (``given``), each read becomes records of TU, TR and RS, and the datasets are put together in ``run``.
"""

"""Conformance of a read with its criteria and its protocol: the functions behind :mod:`mrecist.checklist`.

Each looks at what it is given and says what it found, with the numbers; nothing is corrected.
"""

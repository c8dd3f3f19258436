"""SDTM tumour domains TU, TR and RS: read as measurements, and reported responses compared with what the measurements give.

``terms`` holds the variable names and controlled terms, for reading and for writing.
"""

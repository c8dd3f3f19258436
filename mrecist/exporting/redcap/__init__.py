"""Results to a REDCap project: what ``mrecist export redcap`` does (docs/edc.md)."""

"""Results to CDISC ODM files for an EDC system: what ``mrecist export odm`` does (docs/edc.md)."""

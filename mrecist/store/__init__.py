"""The core lab's store of reads: rows that are only ever added, locks, signatures, and a hash-chained audit trail.

SQLAlchemy Core on SQLite (``STUDY/store.sqlite``) or PostgreSQL; the optional extra ``store``.
"""

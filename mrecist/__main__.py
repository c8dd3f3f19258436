"""``python -m mrecist`` is the same as ``mrecist``."""

from mrecist.cli import main

raise SystemExit(main())

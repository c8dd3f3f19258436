"""A benchmark that cannot run says so in one line before its minutes of work, not in a traceback after them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "measure.py"


def test_a_cornerstone_folder_without_the_package_is_refused_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--cornerstone", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""  # nothing was measured
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "node_modules" / "@cornerstonejs" / "tools") in done.stderr.splitlines()[-1]

"""Seeded random subjects through the command line against a second derivation that walks the days (endpoint_oracle.py)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from endpoint_oracle import PROTOCOL, derive, invent, tables
from endpoint_study import rows, run

CUT = '[response]\ncut = ["first_pd", "data_cutoff"]\ndata_cutoff = 2020-12-31\n'


@pytest.mark.parametrize("cutoff", [None, date(2020, 12, 31)])
def test_every_row_of_random_subjects(cutoff: date | None, tmp_path: Path) -> None:
    people = [invent(number, f"cut {cutoff}") for number in range(1000)]
    out = run(tmp_path, (CUT if cutoff else "") + PROTOCOL, expect=1, **tables(people))
    found = {
        (r["endpoint"], r["subject"]): (r["start"], r["date"], r["days"], r["cnsr"], r["status"], r["event"])
        for r in rows(out / "events.csv")
    }
    expected = {
        (name, one.name): (str(f.start), str(f.end), str(f.days), str(f.cnsr), f.status, f.event)
        for one in people
        for name, f in derive(one, cutoff).items()
    }
    different = {
        key: (found.get(key), expected.get(key))
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    }
    assert not different, f"{len(different)} differ, {Counter(key[0] for key in different)}: {list(different.items())[:3]}"
    # Each way to end is there often enough to be compared.
    ends = Counter((name, row[3]) for (name, _), row in expected.items())
    assert all(ends["FDA", code] >= 15 for code in "01345"), ends
    assert all(ends["TTP", code] >= 15 for code in "0123"), ends

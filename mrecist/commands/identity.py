"""``check-identity``."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter

from mrecist import tables
from mrecist.commands._terminal import DONE, SOME_FAILED, progress, say, show_json


def check_identity(options: Namespace) -> int:
    """``mrecist check-identity``."""
    from mrecist.identity.check import check_identity as check
    from mrecist.identity.finding import Severity, identity_csv, identity_json

    with progress() as report:
        findings = check(options.folder, lambda done, of: report("reading headers", done, of))
    table = identity_csv(findings)
    if options.out is not None:
        tables.write_whole(options.out, table)
    if options.json:
        show_json(identity_json(findings))
    elif options.out is None:
        print(table, end="")
    counted = Counter(finding.severity for finding in findings)
    counts = ", ".join(f"{counted[severity]} {severity}" for severity in Severity)
    say(f"findings: {counts}" + (f", in {options.out}" if options.out is not None else ""))
    return SOME_FAILED if any(finding.severity is not Severity.NOTE for finding in findings) else DONE

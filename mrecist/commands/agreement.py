"""``agree``."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter

from mrecist import tables
from mrecist.commands._terminal import outcome, say


def agree(options: Namespace) -> int:
    """``mrecist agree``."""
    from mrecist.agreement.compare import Job, compare

    job = Job(
        reads=options.reads,
        shared_names=options.shared_names,
        protocol=options.protocol,
        criteria=tuple(options.criterion or ()),
        subjects=options.subjects,
        by=tuple(options.by),
        readers=tuple(options.readers),
        adjudicator=options.adjudicator,
        adjudicate_on=tuple(options.adjudicate_on),
        date_tolerance=options.date_tolerance,
        resamples=options.resamples,
        seed=options.seed,
    )
    done = compare(job)
    for name, content in done.tables.items():
        tables.write_whole(options.out / name, content)
    for note in done.notes:
        say(f"mrecist: note: {note}")
    causes = Counter(one.cause.name for one in done.discordances)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in causes.most_common())
    say(
        f"{done.subjects} subjects, readers {', '.join(done.readers)}: {len(done.discordances)} discordances"
        + (f" ({told})" if told else "")
        + f", {done.adjudicated} cases to adjudicate on {', '.join(done.adjudicated_on)}: {options.out}"
    )
    return outcome(done.problems)

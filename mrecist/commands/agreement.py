"""``agree``."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist import tables
from mrecist.commands._terminal import outcome, say, show_table

if TYPE_CHECKING:
    from mrecist.agreement.reads import Reads


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
        tracks=options.tracks,
        central=options.central,
        investigator=options.investigator,
        adjudicate_on=tuple(options.adjudicate_on),
        date_tolerance=options.date_tolerance,
        resamples=options.resamples,
        seed=options.seed,
    )
    done = compare(job)
    for name, content in done.tables.items():
        tables.write_whole(options.out / name, content)
    if options.figures:
        _write_figures(options.out / "figures", done.reads)
    for note in done.notes:
        say(f"mrecist: note: {note}")
    show_table(done.headlines)
    causes = Counter(one.cause.name for one in done.discordances)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in causes.most_common())
    say(
        f"{done.subjects} subjects, readers {', '.join(done.readers)}: {len(done.discordances)} discordances"
        + (f" ({told})" if told else "")
        + f", {done.adjudicated} cases to adjudicate on {', '.join(done.adjudicated_on)}: {options.out}"
    )
    return outcome(done.problems)


def _write_figures(folder: Path, reads: Reads) -> None:
    from mrecist.agreement.figures import bland_altman_figures
    from mrecist.endpoints.figures.style import files_of

    for parts, figure in bland_altman_figures(reads):
        name = "_".join(tables.safe_name(part) for part in parts)
        for suffix, content in files_of(figure).items():
            tables.write_whole(folder / f"{name}.{suffix}", content)

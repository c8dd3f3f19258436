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
    from mrecist.endpoints.report.pictures import Drawn


def agree(options: Namespace) -> int:
    """``mrecist agree``."""
    from mrecist.agreement.compare import Job, compare
    from mrecist.agreement.report.page import FILE, agreement_html

    job = Job(
        reads=options.reads,
        shared_names=options.shared_names,
        matches=options.matches,
        protocol=options.protocol,
        criteria=tuple(options.criterion or ()),
        subjects=options.subjects,
        by=tuple(options.by),
        readers=tuple(options.readers),
        adjudicator=options.adjudicator,
        accepted=options.accepted,
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
    drawn = _figures(options.out, done.reads, keep=options.figures)
    tables.write_whole(
        options.out / FILE, agreement_html(done.reads, done.tables, drawn, done.adjudicated_on, done.notes)
    )
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


def _figures(out: Path, reads: Reads, *, keep: bool) -> list[Drawn]:
    """The figures for the page; with ``keep`` also as files, and all of them."""
    from mrecist.agreement.figures import bland_altman_figures
    from mrecist.agreement.report.page import MOST_FIGURES
    from mrecist.endpoints.figures.style import files_of
    from mrecist.endpoints.report.pictures import Drawn

    drawn = []
    for place, plan in enumerate(bland_altman_figures(reads)):
        path = "figures/" + "_".join(tables.safe_name(part) for part in plan.parts) if keep else ""
        made: dict[str, bytes] = {}
        if plan.draw is not None and (keep or place < MOST_FIGURES):
            made = files_of(plan.draw(), suffixes=("svg", "png") if keep else ("svg",))
        for suffix, content in made.items() if keep else ():
            tables.write_whole(out / f"{path}.{suffix}", content)
        drawn.append(Drawn(plan, svg=made["svg"].decode("utf-8") if made else "", path=path))
    return drawn

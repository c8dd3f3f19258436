"""report.html: one file, nothing in it is loaded from elsewhere, no script; the same tables and figures give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mrecist import __version__
from mrecist.endpoints.report import counts, estimates
from mrecist.endpoints.report.pictures import Drawn
from mrecist.endpoints.report.table import Rows, Table, those, values
from mrecist.endpoints.report.writing import page_text, part, plain, rows_of
from mrecist.protocol import Endpoint, Protocol
from mrecist.protocol.words import in_words
from mrecist.response.flags import MEANING

FLAGS = {
    "NO_ASSESSMENT": "the time is censored at the last assessment and there is none; it ends on day 1",
    "RESPONSE_AFTER_NEW_THERAPY": "the time is counted from a response that came after a new anticancer therapy had begun",
    "LAST_ALIVE_UNKNOWN": "no table says that the subject was alive after day 1; the time ends there",
    "LAST_ALIVE_DERIVED": (
        "the last day alive is not stated in subjects.csv, or another table has the subject on a later day, which is taken"
    ),
    "ASSESSED_BEFORE_START_ONLY": "all assessments lie before day 1, which is the endpoint's own",
    "OUTCOME_NOT_RECORDED": "a procedure may have ended the time: the outcome that is asked for is not recorded",
    "IMPUTED_DATE": "the first or last day of the time, or what censored it, has no day in the tables",
    "IMPUTED_DATE_MOVED": "a day that was filled in gave way to a known one of the same month",
}
_SHOWN = ("estimates", "counts", "safety", "eligibility", "problems")
"""The tables that the page shows; those with a row for each subject are behind a link."""
_BEFORE_FIGURES = "Responses and times of subjects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An endpoint by one reader and criterion: sentences, figures and tables."""

    name: str
    sentences: tuple[str, ...]
    figures: tuple[Drawn, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """An endpoint of the page. ``words`` are those of the protocol."""

    anchor: str
    title: str
    words: tuple[str, ...]
    parts: tuple[Part, ...]


def report_html(
    protocol: Protocol, contents: Mapping[str, str], drawn: Sequence[Drawn], notes: Sequence[str] = ()
) -> str:
    """The page.

    Parameters
    ----------
    contents : the CSV files as text, by name without suffix: the page shows nothing that is not in them.
    drawn : the figures, in the order in which they are shown.
    notes : what the reader of the result should know.

    Every text of the study (ids, arms, reasons, messages) is escaped; control characters are left out.
    """
    tables = {name: rows_of(contents[name]) for name in _SHOWN if name in contents}
    design = protocol.design
    return page_text(
        part("template.html"),
        part("page.css"),
        drawn,
        title=plain(protocol.title or design.id) or "study",
        study=plain(design.id),
        sha256=protocol.sha256,
        version=__version__,
        words=[plain(line) for line in _of_study(protocol)],
        disposition=counts.disposition(tables["counts"]),
        sections=[_section(place, one, protocol, tables, drawn) for place, one in enumerate(protocol.endpoints)],
        subjects_title=_BEFORE_FIGURES,
        subjects=[one for one in drawn if not one.plan.endpoint],
        safety=list(counts.safety(tables.get("safety", ()))),
        eligibility=list(counts.eligibility(tables["eligibility"], tables["counts"]))
        if "eligibility" in tables
        else [],
        problems=counts.problems(tables["problems"]),
        flags=counts.flags(tables["counts"], {**MEANING, **FLAGS}),
        notes=[plain(note) for note in notes],
        files=sorted(contents),
    )


def _of_study(protocol: Protocol) -> Iterator[str]:
    """The sentences of the protocol before its endpoints, without the line that names it."""
    lines = list(in_words(protocol))[1:]
    yield from lines[: lines.index("")] if "" in lines else lines


def _of_endpoint(endpoint: Endpoint, protocol: Protocol, title: str) -> tuple[str, ...]:
    """The sentences of the protocol about an endpoint, without its title: those of a protocol that has no other endpoint."""
    lines = list(in_words(replace(protocol, endpoints=(endpoint,))))
    kind, *more = lines[lines.index("") + 1 :]
    kind = kind.removeprefix(title).strip().removeprefix("(").replace("), population", ", population")
    return tuple(plain(line) for line in (f"{kind[:1].upper()}{kind[1:]}", *more))


def _section(
    place: int, endpoint: Endpoint, protocol: Protocol, tables: Mapping[str, Rows], drawn: Sequence[Drawn]
) -> Section:
    title = f"{endpoint.id}: {endpoint.title}" if endpoint.title else endpoint.id
    return Section(
        anchor=f"endpoint-{place + 1}",
        title=plain(title),
        words=_of_endpoint(endpoint, protocol, title),
        parts=tuple(_parts(endpoint, tables, [one for one in drawn if one.plan.endpoint == endpoint.id])),
    )


def _parts(endpoint: Endpoint, tables: Mapping[str, Rows], drawn: Sequence[Drawn]) -> Iterator[Part]:
    """One for each reader and criterion that has rows."""
    name = plain(endpoint.id)
    found = those(tables["estimates"], endpoint=name)
    counted = those(tables["counts"], endpoint=name)
    keys = values([*counted, *found], "reader", "criterion")
    for reader, criterion in keys:
        own = [row for row in found if (row["reader"], row["criterion"]) == (reader, criterion)]
        number = those([row for row in counted if row["table"] != "flags"], reader=reader, criterion=criterion)
        region = next((row["region"] for row in own if row.get("region")), "")
        by = ", ".join(one for one in (criterion, region, f"reader {reader}" if reader else "") if one)
        of = f"{name}{' (' + by + ')' if by else ''}"
        made = (
            estimates.summary(own, f"{of}: estimates by arm"),
            estimates.comparisons(own, f"{of}: comparisons"),
            counts.endings(number, f"{of}: why times ended"),
            counts.outcomes(number, f"{of}: subjects"),
        )
        yield Part(
            name=by if len(keys) > 1 else "",
            sentences=tuple(estimates.sentences(own)),
            figures=tuple(one for one in drawn if plain(one.plan.reader) == reader),
            tables=tuple(table for table in made if table is not None),
        )

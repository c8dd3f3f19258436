"""ADRS: the response of each visit, and one row a subject for progression, response, benefit, best response and other events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from mrecist.datasets.model import Value
from mrecist.dates import parse_date
from mrecist.endpoints.regions import responses_of_region
from mrecist.exporting.adam.inputs import Material
from mrecist.exporting.adam.parameters import (
    CENTRAL_REVIEW,
    DEATH,
    IMMUNE_OF,
    INVESTIGATORS,
    IRECIST,
    IRECIST_CODES,
    RECIST,
    RECIST_CODES,
    REFERENCE,
    RESPONSE,
    YES_NO,
    criterion_name,
    reader_name,
)
from mrecist.exporting.results import Cells
from mrecist.exporting.sdtm.reads import Read
from mrecist.exporting.sdtm.timing import Reference, visit_of
from mrecist.model import Response, Role
from mrecist.tables.accepted import ReviewTrack

_RESPONDED = ("CR", "PR", "iCR", "iPR")
_STABLE = ("SD", "NON-CR/NON-PD", "iSD", "NON-iCR/NON-iUPD")
_PROGRESSED = ("PD", "iCPD")
_WORSE = ("PD", "iUPD", "iCPD")
REGIONS = {"intrahepatic": ("LIVOVR", "Liver", "LIVRRESP"), "extrahepatic": ("EHOVR", "Extrahepatic", "")}
Rows = Iterator[tuple[str, dict[str, Value]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One read under one criterion: its responses in order of time points, its row of best_responses.csv."""

    material: Material
    read: Read
    criterion: str
    best: Cells
    visits: Mapping[int, Cells]
    immune: bool

    @property
    def days(self) -> dict[int, date]:
        """Time point -> the day of its response."""
        return {n: parse_date(cells["date"]) for n, cells in self.visits.items()}

    def day_of(self, column: str) -> date | None:
        """A date of best_responses.csv."""
        return parse_date(self.best[column]) if self.best[column] else None

    def row(self, name: str, word: str, day: date | None, timepoint: int | None = None) -> dict[str, Value]:
        """A row of a parameter, with the response of that day as its source."""
        code = IMMUNE_OF.get(name, name) if self.immune else name
        read, category = self.read, self.material.named[self.criterion]
        return {
            **value_of(code, word),
            "PARCAT1": RESPONSE,
            "PARCAT2": reader_name(read.evaluator),
            "PARCAT3": criterion_name(category),
            **when(self.material, read.subject, read.reference, day),
            **self.visit(timepoint),
            "ANL01FL": "Y",
            **self.material.records.response(read.unique_id, read.evaluator, category, day, "OVRLRESP"),
            "PROTSHA": self.material.inputs.results.protocol.sha256,
        }

    def visit(self, timepoint: int | None) -> dict[str, Value]:
        """AVISIT and AVISITN of a time point; nothing of what is of no one visit."""
        if timepoint is None:
            return {}
        visit = visit_of(timepoint, self.read.names)
        return {
            "AVISIT": "BASELINE" if timepoint == 0 else visit.name,
            "AVISITN": timepoint,
            "VISITNUM": visit.number,
        }


def value_of(code: str, word: str) -> dict[str, Value]:
    """PARAMCD, PARAM, AVALC and AVAL of a standard parameter."""
    codes = YES_NO if word in YES_NO else IRECIST_CODES if code in IRECIST else RECIST_CODES
    return {"PARAMCD": code, "PARAM": {**RECIST, **IRECIST, **DEATH}[code], "AVALC": word, "AVAL": codes.get(word)}


def when(material: Material, subject: str, reference: Reference, day: date | None) -> dict[str, Value]:
    """ADT, ADTF and ADY."""
    return {"ADT": day, "ADTF": material.flag(subject, day), "ADY": reference.study_day(day)}


def response_rows(material: Material) -> Rows:
    """Subject -> the rows of all reads by all criteria."""
    for story in _stories(material):
        subject = story.read.subject
        for row in (*_visits(story), *_summary(story)):
            yield from both(subject, row, counts=material.counts(story.read, story.criterion))


def both(subject: str, row: dict[str, Value], *, counts: bool) -> Rows:
    """A row of a reader, and where that read counts the same again as that of the central review."""
    yield subject, row
    if counts:
        yield subject, {**row, "PARCAT2": CENTRAL_REVIEW}


def _stories(material: Material) -> Iterator[Story]:
    for read in material.reads:
        best = {
            cells["criterion"]: cells for cells in material.inputs.best.get((read.subject, read.evaluator.reader), ())
        }
        for criterion, setting in read.results.settings.items():
            if criterion not in best:
                continue
            yield Story(
                material=material,
                read=read,
                criterion=criterion,
                best=best[criterion],
                visits={n: c for n, every in read.responses.items() for c in every if c["criterion"] == criterion},
                immune=setting.criterion.name == "irecist",
            )


def _visits(story: Story) -> Iterator[dict[str, Value]]:
    """OVR: ANL01FL is Y where something was evaluated from day 1 on, ANL02FL up to the first progression."""
    until = min((d for n, d in story.days.items() if story.visits[n]["overall"] in _PROGRESSED), default=date.max)
    start = story.read.reference.start
    for timepoint, cells in story.visits.items():
        if not cells["overall"]:
            continue
        day = story.days[timepoint]
        row = story.row("OVR", cells["overall"], day, timepoint)
        counts = row["AVAL"] is not None and (start is None or day >= start)
        yield {**row, "ANL01FL": "Y" if counts else "", "ANL02FL": "Y" if counts and day <= until else ""}


def _summary(story: Story) -> Iterator[dict[str, Value]]:
    yield from _progression(story)
    for prefix, column, date_column in (
        ("", "best_unconfirmed", "first_response_date"),
        ("C", "best_confirmed", "confirmed_response_date"),
    ):
        best, responded = story.best[column], story.day_of(date_column)
        day = _day_of_best(story, best, responded)
        yield _yes_no(story, f"{prefix}RSP", responded)
        benefit = responded or (day if best in _STABLE else None)
        yield story.row(f"{prefix}CB", "Y" if best in (*_RESPONDED, *_STABLE) else "N", benefit)
        yield story.row(f"{prefix}BOR", best, day)
        yield story.row(f"{prefix}BCP", "Y" if best in _RESPONDED else "N", day if best in _RESPONDED else None)
    last = story.day_of("last_assessment_date")
    seen = [cells["overall"] for n, cells in story.visits.items() if cells["overall"] and story.days[n] == last]
    yield story.row("LSTA", seen[-1] if seen else "", last)
    row = story.row("MDIS", _measurable(story), story.days.get(0), 0)
    counts = "Y" if row["AVALC"] else ""
    yield {**row, "ANL01FL": counts, "SRCDOM": "", "SRCVAR": "", "SRCSEQ": None}


def _measurable(story: Story) -> str:
    """Y with a baseline sum, N without a target at baseline; targets without a sum leave it open."""
    if 0 in story.visits and story.visits[0]["sum"]:
        return "Y"
    return "" if any(row.role is Role.TARGET for row in story.read.rows.get(0, ())) else "N"


def _yes_no(story: Story, name: str, day: date | None) -> dict[str, Value]:
    return story.row(name, "Y" if day is not None else "N", day)


def _progression(story: Story) -> Iterator[dict[str, Value]]:
    """PD; of iRECIST ICPD, dated at the first iUPD of the progression that was confirmed, and IUPD, never confirmed nor taken back."""
    day = story.day_of("progression_date")
    if not story.immune:
        yield _yes_no(story, "PD", day)
        return
    confirmed = day is not None and any(
        cells["overall"] == Response.ICPD and story.days[n] >= day for n, cells in story.visits.items()
    )
    yield _yes_no(story, "ICPD", day if confirmed else None)
    yield _yes_no(story, "IUPD", None if confirmed else day)


def _day_of_best(story: Story, best: str, responded: date | None) -> date | None:
    """The first assessment that had the best response, of a stable one the first that lasted; of PD that of the progression.

    Of a confirmed response the first one of that word from the day on that it counts from. None where no visit had that word.
    """
    if best in _WORSE:
        return story.day_of("progression_date")
    rules = story.material.inputs.results.protocol.response
    base = story.days.get(0)
    least = date.min
    if best in _RESPONDED and responded is not None:
        least = responded
    elif best in _STABLE and base is not None:
        least = _clock(story, base) + timedelta(days=rules.sd_min_days)
    wanted = (best,) if best not in _STABLE else (*_STABLE, *_RESPONDED)
    return next(
        (story.days[n] for n, c in story.visits.items() if c["overall"] in wanted and story.days[n] >= least), None
    )


def _clock(story: Story, base: date) -> date:
    """The day from which the duration of stable disease counts: the origin of the protocol, else the baseline scan."""
    event = story.material.inputs.results.protocol.origin.event
    return story.material.trial.subjects[story.read.subject].dates.get(event, base)


# --- regions, deaths, subjects nobody assessed -----------------------------------------------------------------------


def region_rows(material: Material, folder: Path) -> Rows:
    """Subject -> the responses of the liver and of all else, where the protocol says which organs the liver is."""
    if not material.inputs.results.protocol.intrahepatic:
        return
    stories = {(s.read.subject, s.read.evaluator.reader, s.criterion): s for s in _stories(material)}
    for region, (name, words, test) in REGIONS.items():
        for one in responses_of_region(folder, region):
            story = stories.get((one.subject, one.reader, one.criterion))
            if story is None or one.overall is None:
                continue
            row = story.row(name, one.overall.value, one.date, one.timepoint)
            category = material.named[one.criterion]
            source = material.records.response(story.read.unique_id, story.read.evaluator, category, one.date, test)
            counts = "Y" if row["AVAL"] is not None else ""
            row |= {**source, "PARCAT4": words, "ANL01FL": counts}
            yield from both(one.subject, row, counts=material.counts(story.read, story.criterion))


def unassessed_rows(material: Material) -> Rows:
    """Subject -> RSP N, BOR MISSING and so on of those whom nobody assessed, by whoever decides; a read with a problem is no such one."""
    results = material.inputs.results
    left_out = {*material.unread, *(read.subject for read in material.reads)}
    nothing = results.protocol.response.no_assessment
    for subject in (name for name in material.trial.subjects if name not in left_out):
        for criterion, setting in results.settings.items():
            for who in _deciding(material, criterion):
                immune = setting.criterion.name == "irecist"
                for name in ("ICPD", "IUPD") if immune else ("PD",):
                    yield subject, _nothing(material, who, criterion, name, "N")
                for name in (*("RSP", "CB", "BCP", "CRSP", "CCB", "CBCP"), *("BOR", "CBOR")):
                    word = nothing if name.endswith("BOR") else "N"
                    code = IMMUNE_OF[name] if immune else name
                    yield subject, _nothing(material, who, criterion, code, word)


def _deciding(material: Material, criterion: str) -> list[str]:
    """PARCAT2 of the reviews that decide by a criterion: those of accepted.csv, else the accepted reader of the protocol, else all."""
    results = material.inputs.results
    tracks = {ReviewTrack.CENTRAL: CENTRAL_REVIEW, ReviewTrack.INVESTIGATOR: INVESTIGATORS}
    found = [name for track, name in tracks.items() if material.inputs.accepted.decides(criterion, track)]
    if found:
        return found
    readers = {read.evaluator.reader: read.evaluator for read in material.reads}
    deciding = {results.protocol.readers.accepted} & readers.keys() or readers.keys()
    return [reader_name(readers[one]) for one in sorted(deciding)]


def _nothing(material: Material, who: str, criterion: str, code: str, word: str) -> dict[str, Value]:
    return {
        **value_of(code, word),
        "PARCAT1": RESPONSE,
        "PARCAT2": who,
        "PARCAT3": criterion_name(material.named[criterion]),
        "ANL01FL": "Y",
        "PROTSHA": material.inputs.results.protocol.sha256,
    }


def death_rows(material: Material) -> Rows:
    """Subject -> DEATH."""
    for name, subject in material.trial.subjects.items():
        day = subject.dates.get("death")
        word = "Y" if day is not None else "" if material.at_fault(name, "death") else "N"
        yield (
            name,
            {
                **value_of("DEATH", word),
                "PARCAT1": REFERENCE,
                **when(material, name, material.inputs.references[name], day),
                "ANL01FL": "Y" if word else "",
                **material.records.person(material.unique_id(name), "DTHDTC", day),
                "PROTSHA": material.protocol.sha256,
            },
        )

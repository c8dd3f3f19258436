"""Filled forms into a REDCap project, and what it then holds compared with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrecist.errors import InputError
from mrecist.exporting.redcap.dictionary import RECORD_ID, Instrument, choices
from mrecist.exporting.redcap.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Entry, number
from mrecist.exporting.redcap.server import DeniedError, Server
from mrecist.pacs.patience import ConnectionLostError, RefusedError
from mrecist.tables import csv_text

UPLOAD_COLUMNS = (RECORD_ID, "event", "instrument", "instance", "status", "message")
# Of a row: it is there as it should be; it was sent and reads back equal; and what went wrong.
THERE, SENT, DIFFERS, REFUSED, NOT_SENT, NOT_EQUAL = (
    *("already there", "sent", "differs on the server", "refused", "not sent", "reads back different"),
)
CHUNK = 100
_Key = tuple[str, str, str, str]
_Rows = dict[_Key, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of each form, and what else the server holds of them."""

    outcomes: list[Outcome]
    strays: list[str]


@dataclass(slots=True)
class Outcome:
    """What became of one filled form."""

    entry: Entry
    status: str = NOT_SENT
    message: str = ""


def upload(
    entries: Sequence[Entry], forms: Sequence[Instrument], server: Server, *, longitudinal: bool, replace: bool
) -> Uploaded:
    """Send what is not there yet, read everything back and compare.

    A value that stands on the server and differs is not touched unless ``replace``. Instances that are there are found by reader,
    visit, lesion and criterion. After a lost connection the rest is :data:`NOT_SENT`; the same call goes on from there.

    Raises :class:`InputError` when the project has other fields, or the token is not accepted before anything was sent.
    """
    check_project(server, forms, longitudinal)
    there = _rows_of(server, entries, forms)
    outcomes = [Outcome(entry) for entry in number(entries, _taken(there, forms))]
    try:
        to_send = [one for one in outcomes if _is_to_send(one, there, replace)]
        for form in forms:
            # Rows of one form have the same fields: one that a row lacks could be taken for an empty one to write over
            of_form = [one for one in to_send if one.entry.form is form]
            for start in range(0, len(of_form), CHUNK):
                _send(server, of_form[start : start + CHUNK], longitudinal, replace)
        _compare(outcomes, _rows_of(server, entries, forms))
    except (ConnectionLostError, DeniedError) as error:
        for one in outcomes:
            if one.status == SENT:
                one.message = f"was not read back: {error}"
            elif one.status == NOT_SENT:
                one.message = str(error)
    return Uploaded(outcomes, list(strays(there, outcomes, forms)))


def strays(there: _Rows, outcomes: Iterable[Outcome], forms: Sequence[Instrument]) -> Iterator[str]:
    """Instances on the server that the results do not have: of an earlier export, or typed there."""
    ours = {_key_of(one.entry) for one in outcomes}
    by_name = {form.name: form for form in forms}
    for key, cells in there.items():
        record, event, name, instance = key
        if name in by_name and key not in ours:
            told = " ".join(cells.get(one, "") for one in by_name[name].identity)
            place = ", ".join(part for part in (f"record {record}", event, f"{name} {instance}") if part)
            yield f"{place} ({told}) is on the server and not in the results; look at it there"


def outcomes_csv(outcomes: Iterable[Outcome]) -> str:
    """``upload.csv``."""
    return csv_text(
        UPLOAD_COLUMNS,
        (
            {
                RECORD_ID: one.entry.record,
                "event": one.entry.event,
                "instrument": one.entry.form.name,
                "instance": one.entry.instance or None,
                "status": one.status,
                "message": one.message,
            }
            for one in outcomes
        ),
    )


# --- the project -----------------------------------------------------------------------------------------------------


def check_project(server: Server, forms: Sequence[Instrument], longitudinal: bool) -> None:
    """Raise :class:`InputError` unless the project has our fields, choices and repeating forms."""
    fields = {str(line.get("field_name")): line for line in server.metadata()}
    wrong = [text for form in forms for text in _wrong_fields(form, fields)]
    if next(iter(fields), None) != RECORD_ID:
        wrong.insert(0, f"the first field is not {RECORD_ID}")
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(f"the project does not fit: {'; '.join(wrong[:3])}{more}; load dictionary.csv into it")
    project = server.project()
    if (str(project.get("is_longitudinal")) == "1") is not longitudinal:
        told = "is longitudinal, so --events is needed" if not longitudinal else "has no events, and --events is given"
        raise InputError(f"the project {told}")
    has = str(project.get("has_repeating_instruments_or_events")) == "1"
    repeating = {str(line.get("form_name")) for line in server.repeating()} if has else set()
    missing = [form.name for form in forms if form.repeats and form.name not in repeating]
    if missing:
        raise InputError(f"the project does not repeat {', '.join(missing)}; switch them on as repeating instruments")


def _wrong_fields(form: Instrument, fields: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for name, field in form.fields.items():
        line = fields.get(name)
        if line is None or line.get("form_name") != form.name:
            yield f"it has no field {name} in {form.name}"
            continue
        parts = str(line.get("select_choices_or_calculations") or "").split("|")
        missing = choices(field).keys() - {part.partition(",")[0].strip() for part in parts}
        if missing:
            yield f"{name} has no choice {', '.join(sorted(missing))}"


# --- what is there ---------------------------------------------------------------------------------------------------


def _rows_of(server: Server, entries: Sequence[Entry], forms: Sequence[Instrument]) -> _Rows:
    names = list(dict.fromkeys(entry.record for entry in entries))
    found: _Rows = {}
    for start in range(0, len(names), CHUNK):
        for row in server.records(names[start : start + CHUNK], [form.name for form in forms]):
            cells = {str(name): "" if value is None else str(value) for name, value in row.items()}
            key = tuple(cells.get(name, "") for name in (RECORD_ID, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE))
            found[key] = cells  # type: ignore[index]
    return found


def _key_of(entry: Entry) -> _Key:
    repeats = entry.form.repeats
    return entry.record, entry.event, entry.form.name if repeats else "", str(entry.instance) if repeats else ""


def _taken(there: _Rows, forms: Sequence[Instrument]) -> dict[tuple[str, str, str], dict[tuple[str, ...], int]]:
    """Where instances are counted -> what tells them apart -> instance."""
    by_name = {form.name: form for form in forms if form.repeats}
    taken: dict[tuple[str, str, str], dict[tuple[str, ...], int]] = {}
    for (record, event, name, instance), cells in there.items():
        form = by_name.get(name)
        if form is None:
            continue
        if not instance.isdecimal():
            raise InputError(
                f"record {record}, {name}: the server has an instance '{instance[:60]}', which is no number"
            )
        identity = tuple(cells.get(one, "") for one in form.identity)
        here = taken.setdefault((record, event, name), {})
        if identity in here:
            raise InputError(
                f"record {record}, {name}: instances {here[identity]} and {instance} are both {' '.join(identity)}; keep one"
            )
        here[identity] = int(instance)
    return taken


def _differences(entry: Entry, cells: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Fields that the server lacks, and texts on fields that it has otherwise."""
    lacking, other = [], []
    for name in (*entry.form.fields, entry.form.complete):
        ours, theirs = entry.values.get(name, ""), cells.get(name, "")
        if name == entry.form.complete and theirs == "0":
            theirs = ""  # REDCap's own for a form that nobody has touched
            ours = ours.replace("0", "")
        # A browser that saves a form makes every line end CR LF
        if ours.replace("\r\n", "\n") == theirs.replace("\r\n", "\n"):
            continue
        if theirs:
            other.append(f"{name} is '{theirs[:60]}' and not '{ours[:60]}'")
        else:
            lacking.append(name)
    return lacking, other


def _is_to_send(one: Outcome, there: _Rows, replace: bool) -> bool:
    cells = there.get(_key_of(one.entry))
    if cells is None:
        return True
    lacking, other = _differences(one.entry, cells)
    if other and not replace:
        one.status, one.message = DIFFERS, f"{'; '.join(other[:3])}; --replace writes ours over it"
        return False
    if not lacking and not other:
        one.status = THERE
        return False
    return True


# --- sending ---------------------------------------------------------------------------------------------------------


def _send(server: Server, part: Sequence[Outcome], longitudinal: bool, replace: bool) -> None:
    """Send rows; where the server refuses them, halves of them, until the refused ones stand alone."""
    rows = [_row(one.entry, longitudinal, replace) for one in part]
    try:
        taken = server.send(rows, erase=replace)
    except (ConnectionLostError, DeniedError):
        raise
    except RefusedError as error:
        if len(part) == 1:
            part[0].status, part[0].message = REFUSED, str(error)
            return
        middle = len(part) // 2
        _send(server, part[:middle], longitudinal, replace)
        _send(server, part[middle:], longitudinal, replace)
        return
    for one in part:
        one.status = SENT if one.entry.record in taken else REFUSED
        if one.status == REFUSED:
            one.message = "the server does not name the record among those that it took"


def _row(entry: Entry, longitudinal: bool, replace: bool) -> dict[str, str]:
    empty = dict.fromkeys(entry.form.fields, "") if replace else {}
    row = entry.row(longitudinal)
    return {**row, **empty, **entry.values}


def _compare(outcomes: Iterable[Outcome], there: _Rows) -> None:
    for one in outcomes:
        if one.status not in (SENT, THERE):
            continue
        lacking, other = _differences(one.entry, there.get(_key_of(one.entry), {}))
        if lacking or other:
            one.status = NOT_EQUAL
            one.message = "; ".join([*other, *(f"{name} is empty" for name in lacking)][:3])


def problem_of(one: Outcome) -> str:
    """One line on a form that is not on the server as it should be; "" otherwise."""
    good = one.status == THERE or (one.status == SENT and not one.message)
    return "" if good else f"{one.entry.name}: {one.status}: {one.message}"

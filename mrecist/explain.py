"""The derivation of a subject's responses in words: every visit with its sums, each rule tried, and what decided.

The responses are derived again from what ``assess`` or ``score`` kept (:mod:`mrecist.derivation`), so the words always belong to
the numbers; a response that comes out differently from the table beside it is said so.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from mrecist import __version__, derivation
from mrecist.criteria._rule import TargetFacts
from mrecist.errors import InputError
from mrecist.model import Flip
from mrecist.protocol import CriterionSetting, ResponseRules
from mrecist.response.assess import Assessed, assess_read
from mrecist.response.flags import MEANING
from mrecist.response.margins import margins
from mrecist.response.read import build_read
from mrecist.tables import read_rows
from mrecist.units import difference, percent_change, show, show_percent

Cells = Mapping[str, str]
WIDTH = 110
_DATES = ("first_response_date", "confirmed_response_date", "progression_date", "last_assessment_date")


def explain_subject(folder: Path, subject: str, timepoint: int | None = None, criterion: str | None = None) -> str:
    """The explanation of a subject by every reader and criterion, or of one time point or criterion.

    Raises :class:`InputError` when ``folder`` holds no responses, or none of that subject, time point or criterion.
    """
    table = _rows(folder / "responses.csv", ("subject", "reader", "criterion", "timepoint", "overall"))
    _expect(subject, (row["subject"] for row in table), "subject", folder)
    table = [row for row in table if row["subject"] == subject]
    if criterion is not None:
        _expect(criterion, (row["criterion"] for row in table), "criterion", folder)
        table = [row for row in table if row["criterion"] == criterion]
    if timepoint is not None:
        _expect(str(timepoint), (row["timepoint"] for row in table), "time point", folder)
        table = [row for row in table if row["timepoint"] == str(timepoint)]
    best = _rows(folder / "best_responses.csv", ("subject", "reader", "criterion", "best_unconfirmed", "reason"))
    best = [row for row in best if row["subject"] == subject and timepoint is None]
    kept = derivation.load(folder, subject)
    names = {row["criterion"] for row in table}
    return "\n\n".join(
        "\n".join(_explanation(kept, reader, setting, table, best))
        for reader in sorted(kept.reads)
        for setting in kept.settings
        if setting.name in names
    )


def _rows(path: Path, required: tuple[str, ...]) -> list[Cells]:
    return [cells for _, cells in read_rows(path, required)[1]]


def _expect(wanted: str, found: Iterable[str], word: str, folder: Path) -> None:
    known = list(dict.fromkeys(found))
    if wanted not in known:
        some = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        raise InputError(f"{folder}: no {word} '{wanted}' in responses.csv; there are: {some or 'none'}")


# --- one read by one criterion ---------------------------------------------------------------------------------------


def _explanation(
    kept: derivation.Derivation, reader: str, setting: CriterionSetting, table: list[Cells], best: list[Cells]
) -> Iterator[str]:
    read = build_read(kept.reads[reader])
    title = f"{read.subject} · reader {reader} · {setting.name} ({setting.title})"
    yield title
    yield "=" * len(title)
    yield from _options_in_force(setting, kept.protocol.response)
    asked = {row["timepoint"]: row for row in table if (row["reader"], row["criterion"]) == (reader, setting.name)}
    for assessed in assess_read(read, setting, kept.protocol.response):
        row = asked.get(str(assessed.response.timepoint))
        if row is not None:
            yield ""
            yield from _visit(assessed, setting, row)
    for row in best:
        if (row["reader"], row["criterion"]) == (reader, setting.name):
            yield ""
            yield from _best_response(row)


def _options_in_force(setting: CriterionSetting, rules: ResponseRules) -> Iterator[str]:
    """Every option whose value is not that of the publication (or, for best response, not our documented default)."""
    standard = setting.criterion.thresholds
    changed = [
        f"{key} = {_value(getattr(setting.thresholds, key))} (as published: {_value(getattr(standard, key))})"
        for key in setting.criterion.options
        if getattr(setting.thresholds, key) != getattr(standard, key)
    ]
    usual = ResponseRules()
    changed += [
        f"{_key(f.name)} = {_value(getattr(rules, f.name))} (default: {_value(getattr(usual, f.name))})"
        for f in fields(ResponseRules)
        if getattr(rules, f.name) != getattr(usual, f.name)
    ]
    if changed:
        yield "Options in force that depart from the publication or the default:"
        for line in changed:
            yield from _wrapped(line)


def _key(name: str) -> str:
    if name in ("response_date", "progression_date"):
        return f"schedule.assessment_date.{name.removesuffix('_date')}"
    return f"response.{name.replace('confirm_', 'confirm.', 1)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value)


# --- one visit -------------------------------------------------------------------------------------------------------


def _visit(assessed: Assessed, setting: CriterionSetting, row: Cells) -> Iterator[str]:
    response = assessed.response
    overall = "" if response.overall is None else str(response.overall)
    yield f"Time point {response.timepoint}, {response.date}: {overall or 'baseline'}"
    if row["overall"] != overall:
        yield from _wrapped(
            f"NOTE: responses.csv says '{row['overall']}' (version {row.get('version') or '?'}) and version {__version__} "
            f"derives '{overall}' from the same rows: the table was edited, or the rules have changed; assess again"
        )
    if response.timepoint == 0:
        yield from _wrapped(response.reason)
    else:
        if assessed.facts is not None:
            yield from _sums(assessed.facts)
            yield from _rules_tried(assessed, assessed.facts, setting)
        else:
            yield from _wrapped(f"targets {response.target}: no target counts by this criterion")
        yield from _wrapped(f"non-targets {response.non_target}: {assessed.non_targets}")
        yield from _wrapped(f"new lesion {response.new_lesion}: {assessed.new_lesions}")
        yield from _wrapped(f"overall {overall}: {assessed.overall}")
        yield from _what_would_change(assessed)
    yield from _flags(row)


def _sums(facts: TargetFacts) -> Iterator[str]:
    parts = " + ".join(str(size) for size in facts.sizes)
    if facts.missing:
        missing = ", ".join(size.lesion for size in facts.missing)
        yield from _wrapped(
            f"no sum: {missing} not evaluated; the others are {show(facts.known_sum)} {facts.unit} ({parts})"
        )
    else:
        yield from _wrapped(f"sum {show(facts.known_sum)} {facts.unit} = {parts}")
    if facts.baseline is None:
        yield "  baseline: no complete sum"
    else:
        yield f"  baseline {show(facts.baseline)} {facts.unit}: {_change(facts, facts.baseline)}"
    if facts.nadir is None:
        yield "  smallest sum before: none was complete"
    else:
        where = f"time point {facts.nadir.timepoint}"
        yield f"  smallest sum before {show(facts.nadir.sum)} {facts.unit} ({where}): {_change(facts, facts.nadir.sum)}"


def _change(facts: TargetFacts, reference: Any) -> str:
    change = difference(facts.known_sum, reference)
    percent = percent_change(facts.known_sum, reference)
    amount = f"{'+' if change > 0 else ''}{show(change)} {facts.unit}"
    return amount if percent is None else f"{show_percent(percent)}, {amount}"


def _rules_tried(assessed: Assessed, facts: TargetFacts, setting: CriterionSetting) -> Iterator[str]:
    """The rules in their order, up to the one that decided, each with the numbers it looked at and what it needs."""
    yield f"  targets {assessed.response.target}, by the first rule that holds:"
    rules = setting.criterion.rules
    decided = next(index for index, rule in enumerate(rules) if rule is assessed.rule)
    asked = [rule for rule in rules[: decided + 1] if rule is assessed.rule or rule.arises(facts)]
    for rule in asked:
        answer = "YES" if rule is assessed.rule else "no "
        text = f"{rule.name} ({rule.gives}): {_short(rule.shows(facts), facts)}; {rule.needs(setting.thresholds)}"
        if rule is assessed.rule:
            text += f" [{rule.cite}]" + (f" ({rule.note})" if rule.note else "")
        yield from _wrapped(text, f"    {answer}  ", "         ")
    if idle := [rule.name for rule in rules[: decided + 1] if rule not in asked]:
        yield from _wrapped(f"nothing to ask here: {', '.join(idle)}", "    -    ", "         ")
    if left := [rule.name for rule in rules[decided + 1 :]]:
        yield from _wrapped(f"not tried any more: {', '.join(left)}", "    -    ", "         ")


def _short(words: str, facts: TargetFacts) -> str:
    """The parts of the sum are told once, above the rules."""
    what = "evaluated part" if facts.missing else "sum"
    return words.replace(facts.sum_in_words(), f"{what} {show(facts.known_sum)} {facts.unit}")


def _what_would_change(assessed: Assessed) -> Iterator[str]:
    """By how much the sum, and each lesion alone, would have had to differ for another overall response."""
    found = margins(assessed)
    if found is None:
        return
    if not (told := _flips(found.less, found.more, found.unit)):
        yield from _wrapped("no other size of the targets would change it")
        return
    yield from _wrapped(f"what would change it: on the sum {told}")
    alone = {one.lesion: _flips(one.less, one.more, found.unit) for one in found.lesions}
    if set(alone.values()) == {told}:
        yield "    the same on any of its lesions alone"
        return
    for lesion, words in alone.items():
        yield from _wrapped(f"{lesion} alone: {words or 'no size of it changes it'}", "    ", "      ")


def _flips(less: Flip | None, more: Flip | None, unit: str) -> str:
    found = [(flip, word) for flip, word in ((less, "less"), (more, "more")) if flip is not None]
    return "; ".join(f"{show(flip.by)} {unit} {word} and it is {flip.gives}" for flip, word in found)


def _best_response(row: Cells) -> Iterator[str]:
    yield f"Best response: {row['best_unconfirmed']} without, {row['best_confirmed']} with confirmation"
    for name in _DATES:
        if row.get(name):
            yield f"  {name.replace('_', ' ')}: {row[name]}"
    yield from _wrapped(row["reason"])
    yield from _flags(row)


def _flags(row: Cells) -> Iterator[str]:
    for flag in filter(None, row.get("flags", "").split(";")):
        yield from _wrapped(f"flag {flag}: {MEANING.get(flag.split(':')[0], 'unknown flag')}")


def _wrapped(text: str, first: str = "  ", others: str = "    ") -> list[str]:
    return textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )

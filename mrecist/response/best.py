"""Best response of one subject: with and without confirmation, minimum duration of SD, and the dates.

Sources: Eisenhauer 2009, 4.4 and Table 3; Seymour 2017, Table 3 for iRECIST. Days are counted as later date minus earlier
date, inclusive at the limit, no day added (A9). Nothing after the first progression counts unless ``cut`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mrecist.criteria.irecist import IMMUNE, PLAIN
from mrecist.dates import days_between
from mrecist.model import BestResponse, Response
from mrecist.protocol import ResponseRules

CR, PR, SD, PD, NE = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE
NON_CR_NON_PD, NA, IUPD, ICPD = Response.NON_CR_NON_PD, Response.NA, Response.IUPD, Response.ICPD
_RESPONSES = (CR, PR)
_STABLE_OR_BETTER = (CR, PR, SD, NON_CR_NON_PD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """An overall response with its date; the time point only names it in sentences.

    ``disease_seen``: disease was seen where this is a PR, SD or non-CR/non-PD; what was only reported is taken so. False where
    something was merely not evaluated, which is no disease back after a complete response (Table 3 note).
    ``disregarded`` is an iRECIST scan too early to confirm or reset a progression (A25): it counts for nothing.
    """

    date: date
    overall: Response
    timepoint: int | None = None
    disease_seen: bool = True
    disregarded: bool = False

    def __str__(self) -> str:
        name = f"time point {self.timepoint}" if self.timepoint is not None else "the assessment"
        return f"{self.overall} at {name} of {self.date}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    response: Response
    why: str


def best_response(
    assessments: Sequence[Assessment],
    *,
    start: date,
    rules: ResponseRules,
    subject: str,
    reader: str,
    criterion: str,
    until: date | None = None,
    flags: tuple[str, ...] = (),
    cut: bool = False,
) -> BestResponse:
    """Best response from the follow-up assessments of a subject; those of iRECIST are known by their words.

    Parameters
    ----------
    assessments : follow-ups in order of date, baseline not among them.
    start : day from which the minimum duration of stable disease is counted.
    rules : the ``[response]`` section of the protocol.
    until : last day that counts (new anticancer therapy, data cut-off), or None.
    flags : flags to carry into the row.
    cut : assessments after ``until`` were left out before.
    """
    given = [a for a in assessments if (until is None or a.date <= until) and not a.disregarded]
    if cut or any(until is not None and a.date > until for a in assessments):
        flags = (*flags, f"CUT_AT:{until}")
    immune = any(a.overall in (IUPD, ICPD) or (a.overall in PLAIN and a.overall not in IMMUNE) for a in assessments)
    visits = _plain(given) if immune else _reclassified(given, rules)
    counted = visits
    if "first_pd" in rules.cut:
        counted = _up_to(visits, ICPD if immune else PD)
    unconfirmed, confirmed = _nothing(rules), _nothing(rules)
    if given:
        unconfirmed, confirmed = _unconfirmed(counted, start, rules), _confirmed(counted, start, rules)
    else:
        flags = (*flags, "VISIT_NOT_ASSESSED")
    evaluated = [a.date for a in visits if a.overall not in (NE, NA)]
    lasting = _first_confirmed(counted, rules)
    return BestResponse(
        subject=subject,
        reader=reader,
        criterion=criterion,
        best_unconfirmed=IMMUNE.get(unconfirmed.response, unconfirmed.response) if immune else unconfirmed.response,
        best_confirmed=IMMUNE.get(confirmed.response, confirmed.response) if immune else confirmed.response,
        first_response_date=next((a.date for a in counted if a.overall in _RESPONSES), None),
        confirmed_response_date=None if lasting is None else lasting[0].date,
        progression_date=_immune_progression(given) if immune else _first_date(visits, PD),
        last_assessment_date=evaluated[-1] if evaluated else None,
        flags=flags,
        reason=_sentence(unconfirmed, confirmed, rules, immune),
    )


def _nothing(rules: ResponseRules) -> _Found:
    return _Found(response=Response(rules.no_assessment), why="no assessment after baseline")


def _sentence(unconfirmed: _Found, confirmed: _Found, rules: ResponseRules, immune: bool) -> str:
    answer = "confirmed" if rules.confirm_required else "unconfirmed"
    source = "Seymour 2017, Table 3" if immune else "Eisenhauer 2009, 4.4 and Table 3"
    word = {
        found: IMMUNE.get(found, found) if immune else found for found in (unconfirmed.response, confirmed.response)
    }
    return (
        f"unconfirmed {word[unconfirmed.response]}: {unconfirmed.why}; "
        f"confirmed {word[confirmed.response]}: {confirmed.why}; the protocol takes the {answer} one [{source}]"
    )


# --- progression -----------------------------------------------------------------------------------------------------


def _reclassified(assessments: Sequence[Assessment], rules: ResponseRules) -> list[Assessment]:
    """Apply ``cr_then_worse``: what a PR, SD or non-CR/non-PD after CR means (Table 3 note)."""
    result: list[Assessment] = []
    seen_cr = False
    for assessment in assessments:
        if seen_cr and assessment.disease_seen and assessment.overall in (PR, SD, NON_CR_NON_PD):
            if rules.cr_then_worse == "pd":
                assessment = replace(assessment, overall=PD)
            elif rules.cr_then_worse == "pr":
                # The earlier CR was misread: it was PR all along.
                result = [replace(a, overall=PR) if a.overall is CR else a for a in result]
                seen_cr = False
        seen_cr = seen_cr or assessment.overall is CR
        result.append(assessment)
    return result


def _plain(assessments: Sequence[Assessment]) -> list[Assessment]:
    """iRECIST in the words of RECIST; an unconfirmed progression (iUPD) and a confirmed one (iCPD) stay what they are."""
    return [
        replace(a, overall=a.overall if a.overall in (IUPD, ICPD) else PLAIN.get(a.overall, a.overall))
        for a in assessments
    ]


def _up_to(assessments: list[Assessment], progression: Response) -> list[Assessment]:
    for index, assessment in enumerate(assessments):
        if assessment.overall is progression:
            return assessments[: index + 1]
    return assessments


def _first_date(assessments: list[Assessment], wanted: Response) -> date | None:
    return next((a.date for a in assessments if a.overall is wanted), None)


def _immune_progression(assessments: Sequence[Assessment]) -> date | None:
    """First iUPD of the unbroken block of iUPD and NE that ends in iCPD, or of the block that ends the follow-up."""
    onset: date | None = None
    for assessment in assessments:
        if assessment.overall is ICPD:
            return onset or assessment.date
        if assessment.overall is IUPD:
            onset = onset or assessment.date
        elif assessment.overall is not NE:
            onset = None
    return onset


# --- best response ---------------------------------------------------------------------------------------------------


def _unconfirmed(assessments: list[Assessment], start: date, rules: ResponseRules) -> _Found:
    for wanted in _RESPONSES:
        for assessment in assessments:
            if assessment.overall is wanted:
                return _Found(response=wanted, why=str(assessment))
    return _without_response(assessments, start, rules)


def _confirmed(assessments: list[Assessment], start: date, rules: ResponseRules) -> _Found:
    for wanted, confirming in ((CR, (CR,)), (PR, _RESPONSES)):
        for first, second in _confirmations(assessments, confirming, rules):
            if first.overall is CR if wanted is CR else _confirms_pr(assessments, first, second, rules):
                days = days_between(first.date, second.date)
                return _Found(response=wanted, why=f"{first}, confirmed by {second}, {days} days later")
    return _without_response(assessments, start, rules)


def _confirms_pr(assessments: list[Assessment], first: Assessment, second: Assessment, rules: ResponseRules) -> bool:
    """Two assessments of at least PR confirm PR; taken as recorded, a CR that is followed by PR is no part of it.

    As recorded is the reading of admiralonco (confirmed response: PR first, and no PR after CR).
    """
    if rules.cr_then_worse != "as-recorded":
        return True
    span = assessments[assessments.index(first) : assessments.index(second) + 1]
    seen_cr = [a.overall is CR and any(b.overall is PR for b in span[i:]) for i, a in enumerate(span)]
    return first.overall is PR and not any(seen_cr)


def _first_confirmed(assessments: list[Assessment], rules: ResponseRules) -> tuple[Assessment, Assessment] | None:
    """The first CR or PR that a later CR or PR confirms: the response lasts from there."""
    for first, second in _confirmations(assessments, _RESPONSES, rules):
        if first.overall is second.overall is CR or _confirms_pr(assessments, first, second, rules):
            return first, second
    return None


def _confirmations(
    assessments: list[Assessment], confirming: tuple[Response, ...], rules: ResponseRules
) -> Iterator[tuple[Assessment, Assessment]]:
    for index, first in enumerate(assessments):
        if first.overall in _RESPONSES:
            second = _confirmation(assessments[index:], confirming, rules)
            if second is not None:
                yield first, second


def _confirmation(
    assessments: list[Assessment], confirming: tuple[Response, ...], rules: ResponseRules
) -> Assessment | None:
    """The assessment that confirms the first of the list, if any: far enough, and only what is allowed in between."""
    first = assessments[0]
    not_evaluated = stable = 0
    for later in assessments[1:]:
        if later.overall in confirming and days_between(first.date, later.date) >= rules.confirm_min_days:
            return later
        if later.overall is NE:
            not_evaluated += 1
        elif later.overall is SD:
            stable += 1
        elif later.overall not in _RESPONSES or (first.overall is CR and confirming == (CR,) and later.overall is PR):
            return None
        if not_evaluated > rules.confirm_max_ne_between or stable > int(rules.confirm_sd_between):
            return None
    return None


def _without_response(assessments: list[Assessment], start: date, rules: ResponseRules) -> _Found:
    """SD (or non-CR/non-PD) that lasted long enough, else progression, else NE."""
    for assessment in assessments:
        days = days_between(start, assessment.date)
        if assessment.overall in _STABLE_OR_BETTER and days >= rules.sd_min_days:
            kind = NON_CR_NON_PD if _only_non_target(assessments) else SD
            why = f"{assessment}, {days} days after {start}, at least {rules.sd_min_days}"
            return _Found(response=kind, why=why)
    for progression in (PD, ICPD, IUPD):
        for assessment in assessments:
            if assessment.overall is progression:
                why = f"{assessment}, no stable disease of {rules.sd_min_days} days before"
                return _Found(response=progression, why=why)
    if assessments and all(a.overall is NA for a in assessments):
        return _Found(response=NA, why="the criterion does not apply")
    return _Found(response=NE, why=f"nothing but {', '.join([str(a) for a in assessments])}")


def _only_non_target(assessments: list[Assessment]) -> bool:
    kinds = {a.overall for a in assessments if a.overall in _STABLE_OR_BETTER}
    return NON_CR_NON_PD in kinds and not kinds & {SD, PR}

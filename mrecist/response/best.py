"""Best response of one subject: with and without confirmation, minimum duration of SD, and the dates.

Sources: Eisenhauer 2009, 4.4 and Table 3. Days are counted as later date minus earlier date, inclusive at the limit, no day
added (A9). Nothing after the first progression counts unless ``cut`` is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mrecist.dates import days_between
from mrecist.model import BestResponse, Response
from mrecist.protocol import ResponseRules

CR, PR, SD, PD, NE = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE
NON_CR_NON_PD, NA = Response.NON_CR_NON_PD, Response.NA
_RESPONSES = (CR, PR)
_STABLE_OR_BETTER = (CR, PR, SD, NON_CR_NON_PD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """An overall response with its date; the time point only names it in sentences."""

    date: date
    overall: Response
    timepoint: int | None = None

    def __str__(self) -> str:
        name = f"time point {self.timepoint}" if self.timepoint is not None else "the assessment"
        return f"{self.overall} at {name} of {self.date}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    response: Response
    why: str
    onset: date | None = None


def best_response(
    assessments: Sequence[Assessment],
    *,
    start: date,
    rules: ResponseRules,
    subject: str,
    reader: str,
    criterion: str,
    flags: tuple[str, ...] = (),
) -> BestResponse:
    """Best response from the follow-up assessments of a subject.

    Parameters
    ----------
    assessments : follow-ups in order of date, baseline not among them.
    start : day from which the minimum duration of stable disease is counted.
    rules : the ``[response]`` section of the protocol.
    flags : flags to carry into the row.
    """
    visits = _reclassified(assessments, rules)
    counted = _up_to_first_pd(visits) if "first_pd" in rules.cut else visits
    progression = next((a.date for a in visits if a.overall is PD), None)
    evaluated = [a.date for a in visits if a.overall not in (NE, NA)]
    if not assessments:
        nothing = _Found(response=Response(rules.no_assessment), why="no assessment after baseline")
        unconfirmed = confirmed = nothing
        flags = (*flags, "VISIT_NOT_ASSESSED")
    else:
        unconfirmed = _unconfirmed(counted, start, rules)
        confirmed = _confirmed(counted, start, rules)
    first = next((a.date for a in counted if a.overall in _RESPONSES), None)
    return BestResponse(
        subject=subject,
        reader=reader,
        criterion=criterion,
        best_unconfirmed=unconfirmed.response,
        best_confirmed=confirmed.response,
        first_response_date=first,
        confirmed_response_date=confirmed.onset,
        progression_date=progression,
        last_assessment_date=evaluated[-1] if evaluated else None,
        flags=flags,
        reason=_sentence(unconfirmed, confirmed, rules),
    )


def _sentence(unconfirmed: _Found, confirmed: _Found, rules: ResponseRules) -> str:
    answer = "confirmed" if rules.confirm_required else "unconfirmed"
    return (
        f"unconfirmed {unconfirmed.response}: {unconfirmed.why}; confirmed {confirmed.response}: {confirmed.why}; "
        f"the protocol takes the {answer} one [Eisenhauer 2009, 4.4 and Table 3]"
    )


def _reclassified(assessments: Sequence[Assessment], rules: ResponseRules) -> list[Assessment]:
    """Apply ``cr_then_worse``: what a PR, SD or non-CR/non-PD after CR means (Table 3 note)."""
    result: list[Assessment] = []
    seen_cr = False
    for assessment in assessments:
        if seen_cr and assessment.overall in (PR, SD, NON_CR_NON_PD):
            if rules.cr_then_worse == "pd":
                assessment = Assessment(date=assessment.date, overall=PD, timepoint=assessment.timepoint)
            elif rules.cr_then_worse == "pr":
                # The earlier CR was misread: it was PR all along.
                result = [_as_pr(a) for a in result]
                seen_cr = False
        seen_cr = seen_cr or assessment.overall is CR
        result.append(assessment)
    return result


def _as_pr(assessment: Assessment) -> Assessment:
    if assessment.overall is not CR:
        return assessment
    return Assessment(date=assessment.date, overall=PR, timepoint=assessment.timepoint)


def _up_to_first_pd(assessments: list[Assessment]) -> list[Assessment]:
    for index, assessment in enumerate(assessments):
        if assessment.overall is PD:
            return assessments[: index + 1]
    return assessments


def _unconfirmed(assessments: list[Assessment], start: date, rules: ResponseRules) -> _Found:
    for wanted in _RESPONSES:
        for assessment in assessments:
            if assessment.overall is wanted:
                return _Found(response=wanted, why=str(assessment), onset=assessment.date)
    return _without_response(assessments, start, rules)


def _confirmed(assessments: list[Assessment], start: date, rules: ResponseRules) -> _Found:
    for wanted, confirming in ((CR, (CR,)), (PR, _RESPONSES)):
        for index, first in enumerate(assessments):
            if first.overall not in _RESPONSES or (wanted is CR and first.overall is not CR):
                continue
            second = _confirmation(assessments[index:], confirming, rules)
            if second is not None:
                days = days_between(first.date, second.date)
                return _Found(
                    response=wanted, why=f"{first}, confirmed by {second}, {days} days later", onset=first.date
                )
    return _without_response(assessments, start, rules)


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
    """SD (or non-CR/non-PD) that lasted long enough, else PD, else NE."""
    for assessment in assessments:
        days = days_between(start, assessment.date)
        if assessment.overall in _STABLE_OR_BETTER and days >= rules.sd_min_days:
            kind = NON_CR_NON_PD if _only_non_target(assessments) else SD
            why = f"{assessment}, {days} days after {start}, at least {rules.sd_min_days}"
            return _Found(response=kind, why=why)
    for assessment in assessments:
        if assessment.overall is PD:
            return _Found(response=PD, why=f"{assessment}, no stable disease of {rules.sd_min_days} days before")
    if assessments and all(a.overall is NA for a in assessments):
        return _Found(response=NA, why="the criterion does not apply")
    return _Found(response=NE, why=f"nothing but {', '.join(str(a) for a in assessments)}")


def _only_non_target(assessments: list[Assessment]) -> bool:
    kinds = {a.overall for a in assessments if a.overall in _STABLE_OR_BETTER}
    return NON_CR_NON_PD in kinds and not kinds & {SD, PR}

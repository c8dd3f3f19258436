"""What the sections beside ``[[endpoint]]`` mean, in plain words: sizes and thresholds, visits, readers, exports."""

from __future__ import annotations

from collections.abc import Iterator

from mrecist.criteria._conditions import needs_fall, needs_rise
from mrecist.dates import PartialDate
from mrecist.protocol.exports import Exports
from mrecist.protocol.rules import Readers
from mrecist.protocol.study_protocol import Protocol
from mrecist.protocol.variants import CriterionSetting
from mrecist.units import show

_SCANS = {"latest_scan": "latest scan", "earliest_scan": "earliest scan"}
_PARTIAL = {
    PartialDate.REFUSE: "refused",
    PartialDate.FIRST_OF_MONTH: "taken as the first of its month",
    PartialDate.MIDDLE_OF_MONTH: "taken as the 15th of its month",
    PartialDate.LAST_OF_MONTH: "taken as the last of its month",
}
_PLANS = {
    "investigator": "the investigator",
    "single": "one reader",
    "two_plus_adjudicator": "two readers and an adjudicator",
    "consensus": "readers who agree on one answer",
}


def criterion_in_words(setting: CriterionSetting, protocol: Protocol) -> Iterator[str]:
    """What one criterion counts and asks for, line by line."""
    limits, portal = protocol.limits_of(setting), setting.target_sizes.portal_node
    if "porta_hepatis_node_mm" in setting.criterion.options:
        portal = setting.thresholds.porta_hepatis_node_mm
    yield f"  size that counts: {setting.criterion.quantity}; exported as RSCAT {setting.rscat}"
    own = setting.thresholds
    against = "smallest sum before" if own.pd_reference == "nadir" else "baseline sum"
    yield f"  {needs_fall(own)} from the baseline sum; {needs_rise(own)} from the {against}"
    targets = (
        f"targets from {show(limits.min_target_mm)} mm, nodes from {show(limits.min_target_node_mm)} mm short axis"
    )
    yield f"  measurable: {targets}{f', at the porta hepatis from {show(portal)} mm' if portal is not None else ''}"
    if "new_lesion_is_pd" in setting.criterion.options and not own.new_lesion_is_pd:
        yield "  a new lesion of the organ liver is flagged and no progression, unless it names a thrombus; any other one is"
    if setting.criterion.confirms_progression:
        until = f" and at most {own.icpd_max_days} days after the last" if own.icpd_max_days else ""
        yield f"  a progression is confirmed at least {own.icpd_min_days} days after the first iUPD{until}"
    if setting.sub_sums:
        inside = ", ".join(protocol.intrahepatic)
        yield (
            f"  of the study too: {' and '.join(setting.sub_sums)} responses (intrahepatic: {inside}), which endpoints with that "
            f"region derive; responses.csv has those of all lesions"
        )


def visits_in_words(protocol: Protocol) -> Iterator[str]:
    """When visits are due, and how they are dated."""
    rules, schedule = protocol.response, protocol.schedule
    stretches = [
        f"every {one.every_weeks} weeks" + (f" until week {one.until_week}" if one.until_week is not None else "")
        for one in schedule.visits
    ]
    if stretches:
        yield f"Visits are due {', then '.join(stretches)}, {schedule.window_days} days sooner or later."
    else:
        yield "No visit is due on a fixed day."
    yield f"The baseline is at most {schedule.baseline_window_days} days before day 1."
    yield (
        f"A visit with scans of several days is dated by its {_SCANS[rules.progression_date]} when it is a progression, else by its "
        f"{_SCANS[rules.response_date]}."
    )
    yield f"A date without its day is {_PARTIAL[protocol.partial_date]}."


def readers_in_words(readers: Readers) -> Iterator[str]:
    """Who reads, and whose responses are the study's."""
    if readers.plan:
        on = f", who decides on {' and '.join(one.replace('_', ' ') for one in readers.adjudicate_on)}"
        adjudicated = readers.plan == "two_plus_adjudicator" and readers.adjudicate_on
        yield f"Read by {_PLANS[readers.plan]}{on if adjudicated else ''}."
    if readers.accepted:
        yield f"The study's responses are those of reader {readers.accepted}, where accepted.csv names no other."


def exports_in_words(export: Exports) -> Iterator[str]:
    """What the exported tables follow."""
    sdtm, odm, redcap = export.sdtm, export.odm, export.redcap
    derived = "are exported" if sdtm.derived == "assessor" else "are left to ADaM"
    yield (
        f"Exports: SDTM IG {sdtm.ig}, terms of {sdtm.ct}, as {' and '.join(sdtm.format)}; sums and best responses {derived}; ODM "
        f"{odm.version}{f' with the OIDs of {odm.oid_map}' if odm.oid_map else ''}; REDCap instrument {redcap.repeat_instrument}"
        f"{' with its data dictionary' if redcap.dictionary else ''}."
    )

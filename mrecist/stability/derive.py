"""The stability of every response that was derived, and the flag of those that do not stand firmly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mrecist.model import Measurement, VisitResponse, VisitStability
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.response.margins import margins
from mrecist.response.read import Read, build_read
from mrecist.stability.chances import chances
from mrecist.stability.drawn import draw_sizes
from mrecist.stability.spread import Cell, Spread
from mrecist.units import show

# One response: subject, reader, criterion, time point.
_Key = tuple[str, str, str, int]


def stabilities(
    reads: Mapping[tuple[str, str], Iterable[Measurement]],
    protocol: Protocol,
    criteria: tuple[CriterionSetting, ...],
    responses: Iterable[VisitResponse],
    own: Mapping[Cell, float] | None = None,
) -> tuple[VisitStability, ...]:
    """One row for every follow-up among ``responses``, which were derived from the same reads, in their order.

    ``own`` are standard deviations of single sizes (:class:`mrecist.stability.spread.Spread`). No category is changed. The same
    rows and protocol give the same numbers, whatever other reads there are.
    """
    wanted: dict[tuple[str, str], dict[_Key, VisitResponse]] = {}
    for response in responses:
        if response.timepoint > 0:
            wanted.setdefault((response.subject, response.reader), {})[_key(response)] = response
    found: dict[_Key, VisitStability] = {}
    for read_key, of_read in wanted.items():
        read = build_read(reads[read_key])
        for setting in criteria:
            found |= {_key(one): one for one in stability_of(read, setting, protocol, own) if _key(one) in of_read}
    return tuple(found[key] for of_read in wanted.values() for key in of_read)


def stability_of(
    read: Read, setting: CriterionSetting, protocol: Protocol, own: Mapping[Cell, float] | None = None
) -> tuple[VisitStability, ...]:
    """The stability of one read by one criterion, one row a follow-up."""
    spread = Spread(error=protocol.stability.error, own=own or {})
    sizes = draw_sizes(read, setting, protocol.response, protocol.stability, spread)
    shares = chances(sizes)
    # That a lesion is gone, or cannot be seen, is a finding and no size: such a visit has no share, not one of 100 %.
    measured = {timepoint for timepoint, _ in sizes.drawn}
    rows = []
    for visit in sizes.as_read[1:]:
        response = visit.response
        if response.target is None or response.overall is None:
            continue
        rows.append(
            VisitStability(
                subject=response.subject,
                reader=response.reader,
                criterion=response.criterion,
                timepoint=response.timepoint,
                date=response.date,
                sum=response.sum,
                unit=response.unit,
                target=response.target,
                overall=response.overall,
                margins=margins(visit),
                shares=shares[response.timepoint] if response.timepoint in measured else {},
                level=protocol.stability.level,
                own_sd=sizes.own,
            )
        )
    return tuple(rows)


def with_flags(responses: Iterable[VisitResponse], found: Iterable[VisitStability]) -> tuple[VisitResponse, ...]:
    """The responses, flagged where the reported one is less likely than the protocol's level."""
    flags = {_key(one): f"LESS_LIKELY_THAN:{show(one.level)}={show(one.share)}" for one in found if one.less_likely}
    return tuple(
        replace(response, flags=(*response.flags, flags[_key(response)])) if _key(response) in flags else response
        for response in responses
    )


def _key(one: VisitResponse | VisitStability) -> _Key:
    return one.subject, one.reader, one.criterion, one.timepoint

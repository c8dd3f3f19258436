"""TU: a record for each lesion where it was first seen, for each part that split off, and for each merger."""

from __future__ import annotations

from collections.abc import Iterator

from mrecist.datasets.model import Value
from mrecist.exporting.sdtm.places import method_of, place_of
from mrecist.exporting.sdtm.qualifiers import Record
from mrecist.exporting.sdtm.reads import Read
from mrecist.model import LocalTherapy, Measurement, Role
from mrecist.sdtm.codelists import TU_TESTS

ROLES = {Role.TARGET: "TARGET", Role.NON_TARGET: "NON-TARGET", Role.NEW: "NEW"}
_YES_NO = {"yes": "Y", "no": "N"}


def identifications(read: Read) -> Iterator[Record]:
    """The records of TU of a read, in order of link identifiers and visits."""
    found = [_identified(read, row) for row in read.first.values()]
    found += [_merger(read, row) for rows in read.rows.values() for row in rows if read.merged(row)]
    yield from sorted(found, key=lambda record: (str(record.values["TULNKID"]), str(record.values["TUDTC"])))


def _identified(read: Read, row: Measurement) -> Record:
    whole = read.whole_of.get(row.lesion)
    split = {read.whole_of[one] for one in read.whole_of}
    group = whole or (row.lesion if row.lesion in split else "")
    values, qualifiers = _described(read, row)
    test = "TUSPLIT" if whole else "TUMIDENT"
    values |= {"TULNKID": read.link(row.lesion), "TUGRPID": read.link(group) if group else ""}
    return Record(values={**values, **_test(test, row)}, qualifiers=qualifiers)


def _merger(read: Read, row: Measurement) -> Record:
    values, _ = _described(read, row)
    carrier = read.link(row.part_of)
    values |= {"TULNKID": f"{carrier}/{read.link(row.lesion)}", "TUGRPID": carrier, "TUREFID": "", "TULOBXFL": ""}
    return Record(values={**values, **_test("TUMERGE", row)}, qualifiers={})


def _test(test: str, row: Measurement) -> dict[str, str]:
    result = ROLES[row.role]
    return {"TUTESTCD": test, "TUTEST": TU_TESTS[test], "TUORRES": result, "TUSTRESC": result}


def _described(read: Read, row: Measurement) -> tuple[dict[str, Value], dict[str, str]]:
    """What a record of a lesion says beside its test, and its qualifiers; the place is that of the first row that has one."""
    every = (one for rows in read.rows.values() for one in rows if one.lesion == row.lesion)
    place = place_of(next((one for one in every if one.organ or one.station), row))
    if not place.location and row.lesion in read.whole_of:
        place = place_of(read.first[read.whole_of[row.lesion]])
    drawn = read.results.drawings.get((row.subject, row.reader, row.timepoint, row.lesion), {})
    values: dict[str, Value] = {
        **read.common("TU", row.date, row.timepoint),
        "TUREFID": str((drawn.get("longest") or {}).get("sop_instance_uid") or ""),
        "TUSPID": row.lesion,
        "TULOC": place.location,
        "TULAT": place.side,
        "TUMETHOD": method_of(row),
        "TULOBXFL": read.flag(row),
        "TUACPTFL": "Y" if read.accepts(row) else "",
    }
    told = {
        "TULOCDTL": place.detail,
        "TUTRKUID": read.results.drawn_uids.get((row.subject, row.reader, row.lesion), ""),
        **_treated_before(row),
        "TUIMGBL": _YES_NO.get(row.imaged_at_baseline or "", ""),
        "TUBASIS": (row.basis or "").upper(),
    }
    return values, {name: text for name, text in told.items() if text}


def _treated_before(row: Measurement) -> dict[str, str]:
    """Local treatment before the study, as a baseline row says it; radiation has qualifiers of its own."""
    if row.local_therapy is None or row.timepoint > 0:
        return {}
    progressed = _YES_NO.get(row.progressed_since or "", "")
    if row.local_therapy is LocalTherapy.RADIATION:
        return {"TUPRVIR": "Y", "TUPRVIRP": progressed}
    return {"TUPRVTRT": row.local_therapy.upper(), "TUPRVTRP": progressed}

"""A small study without faults, written by hand: TU, TR, RS, RELREC, SUPPTU, SUPPTR, DM and PR of one subject and two readers.

Sums and categories are worked out by hand from RECIST 1.1 (Eisenhauer 2009) and mRECIST (Lencioni & Llovet 2010); names of tests are those
of SDTM CT 2022-09-30.

================  ========  ======  =======
                  baseline  week 8  week 16
================  ========  ======  =======
T01 longest       40        30      33
T01 viable        30        15      18
T02 node, short   22        14      14
SUMDIAM           62        44      47
SUMVDIAM          52        29      32
change of SUMDIAM           -18     +3 (nadir 44), -15 (baseline)
RECIST 1.1        -         SD      SD, new lesion: PD
mRECIST           -         PR      PR, new lesion: PD
================  ========  ======  =======
"""

from __future__ import annotations

from mrecist.sdtm.checks.datasets import Study, Table
from mrecist.sdtm.datasets import Record

Row = dict[str, str]
Datasets = dict[str, list[Row]]

SUBJECT = "HAND-P01"
VISITS = {
    "1": ("BASELINE", "2024-01-01", "-2"),
    "2": ("WEEK 8", "2024-02-26", "55"),
    "3": ("WEEK 16", "2024-04-22", "111"),
}
TESTS = {
    "TUMIDENT": "Tumor Identification",
    "LDIAM": "Longest Diameter",
    "LPERP": "Longest Perpendicular",
    "VDIAM": "Viable Diameter",
    "TUMSTATE": "Tumor State",
    "SUMDIAM": "Sum of Diameter",
    "SUMVDIAM": "Sum of Viable Diameter",
    "SUMNLNLD": "Sum Diameters of Non Lymph Node Tumors",
    "PCBSD": "Percent Change Baseline in Sum of Diam",
    "PCNSD": "Percent Change Nadir in Sum of Diam",
    "ACNSD": "Absolute Change Nadir in Sum of Diam",
    "TRGRESP": "Target Response",
    "NTRGRESP": "Non-target Response",
    "NEWLPROG": "New Lesion Progression",
    "OVRLRESP": "Overall Response",
    "BESTRESP": "Best Overall Response",
}
CRITERIA = ("RECIST 1.1", "MRECIST LENCIONI LIVER CANCER 2010")


def _common(domain: str, reader: int, visit: str, test: str) -> Row:
    name, day, number = VISITS[visit]
    return {
        "STUDYID": "HAND",
        "DOMAIN": domain,
        "USUBJID": SUBJECT,
        f"{domain}TESTCD": test,
        f"{domain}TEST": TESTS[test],
        f"{domain}EVAL": "INDEPENDENT ASSESSOR",
        f"{domain}EVALID": f"READER {reader}",
        f"{domain}ACPTFL": "Y" if reader == 2 else "",
        "VISITNUM": visit,
        "VISIT": name,
        f"{domain}DTC": day,
        f"{domain}DY": number,
    }


def _tu(reader: int) -> list[Row]:
    lesions = (
        ("T01", "TARGET", "LIVER, RIGHT LOBE", "1"),
        ("T02", "TARGET", "PORTAL LYMPH NODE", "1"),
        ("NT01", "NON-TARGET", "LUNG", "1"),
        ("NEW01", "NEW", "LUNG", "3"),
    )
    return [
        {
            **_common("TU", reader, visit, "TUMIDENT"),
            "TULNKID": f"R{reader}-{name}",
            "TUORRES": role,
            "TUSTRESC": role,
            "TULOC": place,
            "TUMETHOD": "CONTRAST ENHANCED CT SCAN",
            "TULOBXFL": "Y" if visit == "1" else "",
        }
        for name, role, place, visit in lesions
    ]


def _tr(reader: int, visit: str, test: str, result: str, lesion: str = "", group: str = "TARGET") -> Row:
    number = result.lstrip("-").replace(".", "", 1).isdigit()
    unit = ("%" if test.startswith("PC") else "mm") if number else ""
    return {
        **_common("TR", reader, visit, test),
        "TRGRPID": group,
        "TRLNKID": f"R{reader}-{lesion}" if lesion else "",
        "TRLNKGRP": f"R{reader}-A{visit}",
        "TRORRES": result,
        "TRORRESU": unit,
        "TRSTRESC": result,
        "TRSTRESN": result if number else "",
        "TRSTRESU": unit,
        "TRSTAT": "" if result else "NOT DONE",
        "TRREASND": "" if result else "IMAGE OBSCURED",
        "TRMETHOD": "CONTRAST ENHANCED CT SCAN",
        "TRLOBXFL": "Y" if visit == "1" else "",
    }


def _results(reader: int) -> list[Row]:
    sizes = {"1": ("40", "30", "22"), "2": ("30", "15", "14"), "3": ("33", "18", "14")}
    sums = {"1": ("62", "52", "40"), "2": ("44", "29", "30"), "3": ("47", "32", "33")}
    # -18 of 62 and of 62; -15 of 62, 3 of 44.
    changes = {"2": ("-29.03", "-29.03", "-18"), "3": ("-24.19", "6.82", "3")}
    rows = []
    for visit, (longest, viable, node) in sizes.items():
        rows += [
            _tr(reader, visit, "LDIAM", longest, "T01"),
            _tr(reader, visit, "VDIAM", viable, "T01"),
            _tr(reader, visit, "LPERP", node, "T02"),
            # Reader 2 could not see the lung at week 16.
            _tr(reader, visit, "TUMSTATE", "" if (reader, visit) == (2, "3") else "PRESENT", "NT01", "NON-TARGET"),
        ]
        rows += [
            _tr(reader, visit, test, value)
            for test, value in zip(("SUMDIAM", "SUMVDIAM", "SUMNLNLD"), sums[visit], strict=True)
        ]
        rows += [
            _tr(reader, visit, test, value)
            for test, value in zip(("PCBSD", "PCNSD", "ACNSD"), changes.get(visit, ()), strict=False)
        ]
    return [*rows, _tr(reader, "3", "TUMSTATE", "UNEQUIVOCAL", "NEW01", "NEW")]


def _rs(reader: int) -> list[Row]:
    rows = []
    for criterion, target, best in zip(CRITERIA, ("SD", "PR"), ("SD", "PR"), strict=True):
        non_target = "NE" if reader == 2 else "NON-CR/NON-PD"
        given = [
            *(("2", "TRGRESP", target), ("2", "NTRGRESP", "NON-CR/NON-PD"), ("2", "OVRLRESP", target)),
            *(("3", "TRGRESP", target), ("3", "NTRGRESP", non_target), ("3", "NEWLPROG", "UNEQUIVOCAL")),
            *(("3", "OVRLRESP", "PD"), ("3", "BESTRESP", best)),
        ]
        for visit, test, result in given:
            row = {**_common("RS", reader, visit, test), "RSCAT": criterion, "RSORRES": result, "RSSTRESC": result}
            row |= {"RSSTAT": "", "RSREASND": "", "RSLNKGRP": f"R{reader}-A{visit}" if test == "OVRLRESP" else ""}
            rows.append(row)
    return rows


def _relation(domain: str, variable: str, kind: str, name: str) -> Row:
    row = {"STUDYID": "HAND", "RDOMAIN": domain, "USUBJID": "", "IDVAR": variable, "IDVARVAL": ""}
    return {**row, "RELTYPE": kind, "RELID": name}


def _qualifier(domain: str, sequence: str, name: str, label: str, value: str) -> Row:
    row = {"STUDYID": "HAND", "RDOMAIN": domain, "USUBJID": SUBJECT, "IDVAR": f"{domain}SEQ", "IDVARVAL": sequence}
    return {**row, "QNAM": name, "QLABEL": label, "QVAL": value, "QORIG": "CRF"}


def clean() -> Datasets:
    """The study; every call gives new rows."""
    study: Datasets = {
        "tu": [*_tu(1), *_tu(2)],
        "tr": [*_results(1), *_results(2)],
        "rs": [*_rs(1), *_rs(2)],
        "relrec": [
            _relation("TU", "TULNKID", "ONE", "TUTR"),
            _relation("TR", "TRLNKID", "MANY", "TUTR"),
            _relation("TR", "TRLNKGRP", "MANY", "TRRS"),
            _relation("RS", "RSLNKGRP", "MANY", "TRRS"),
        ],
        "supptu": [_qualifier("TU", "1", "TULOCDTL", "Location Detail", "SEGMENT VIII")],
        "supptr": [_qualifier("TR", "2", "TRNOTE", "Note of the Reader", "LATE ARTERIAL")],
        "dm": [
            {"STUDYID": "HAND", "DOMAIN": "DM", "USUBJID": SUBJECT, "RFSTDTC": "2024-01-03", "RFXSTDTC": "2024-01-03"}
        ],
        "pr": [
            {
                "STUDYID": "HAND",
                "DOMAIN": "PR",
                "USUBJID": SUBJECT,
                "PRSEQ": "1",
                "PRTRT": "TACE",
                "PRSTDTC": "2024-01-03",
            }
        ],
    }
    for domain in ("tu", "tr", "rs"):
        for number, row in enumerate(study[domain], start=1):
            row[f"{domain.upper()}SEQ"] = str(number)
    return study


def the(rows: list[Row], **wanted: str) -> Row:
    """The first row that has these cells."""
    return next(row for row in rows if all(row.get(name) == value for name, value in wanted.items()))


def study_of(datasets: Datasets) -> Study:
    """The datasets as they are checked, without a file."""
    tables = {}
    for name, rows in datasets.items():
        columns = frozenset(column for row in rows for column in row)
        records = tuple(Record(where=f"{name} row {n}", cells=row) for n, row in enumerate(rows, start=1))
        tables[name.upper()] = Table(domain=name.upper(), name=name, variables=columns, records=records)
    return Study(tables=tables)

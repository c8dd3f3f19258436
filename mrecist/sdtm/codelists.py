"""The controlled terms that are written, with their names; and those of ours that extend a codelist.

Source: CDISC SDTM Controlled Terminology 2022-09-30. All of these codelists but those of tests and flags are extensible; the terms here
are those that an export uses, not the whole lists.
"""

from __future__ import annotations

from collections.abc import Mapping

TERMINOLOGY = "2022-09-30"

TU_TESTS: Mapping[str, str] = {
    "TUMIDENT": "Tumor Identification",
    "TUSPLIT": "Tumor Split",
    "TUMERGE": "Tumor Merged",
}
TR_TESTS: Mapping[str, str] = {
    "TUMSTATE": "Tumor State",
    "LNSTATE": "Lymph Node State",
    "LDIAM": "Longest Diameter",
    "LPERP": "Longest Perpendicular",
    "VDIAM": "Viable Diameter",
    "VOLUME": "Volume",
    "RADIODEN": "Radiodensity",
    "SUMDIAM": "Sum of Diameter",
    "SUMLDIAM": "Sum of Longest Diameter",
    "SUMVDIAM": "Sum of Viable Diameter",
    "SUMVOL": "Sum of Volume",
    "PCBSD": "Percent Change Baseline in Sum of Diam",
    "PCNSD": "Percent Change Nadir in Sum of Diam",
    "ACNSD": "Absolute Change Nadir in Sum of Diam",
    "PCBSLD": "Percent Change Baseline Sum Longest Diam",
    "PCNSLD": "Percent Change Nadir in Sum Longest Diam",
    "PCBSV": "Percent Change Baseline in Sum of Volume",
    "PCNSV": "Percent Change Nadir in Sum of Volume",
}
# TRTESTCD is extensible. No published term says these: what enhances across its diameter, in volume, and what follows from sums.
TR_TESTS_OF_OURS: Mapping[str, str] = {
    "VLPERP": "Viable Longest Perpendicular",
    "VVOLUME": "Viable Volume",
    "SUMVPPD": "Sum of Products of Viable Perp Diam",
    "SUMVVOL": "Sum of Viable Volume",
    "ACNSLD": "Absolute Change Nadir Sum Longest Diam",
    "PCBSVD": "Percent Change Baseline Sum Viable Diam",
    "PCNSVD": "Percent Change Nadir in Sum Viable Diam",
    "ACNSVD": "Absolute Change Nadir in Sum Viable Diam",
    "ACNSV": "Absolute Change Nadir in Sum of Volume",
    "PCBSVPPD": "Percent Change Baseline Sum Viable PPD",
    "PCNSVPPD": "Percent Change Nadir in Sum Viable PPD",
    "ACNSVPPD": "Absolute Change Nadir in Sum Viable PPD",
    "PCBSVV": "Percent Change Baseline Sum Viable Vol",
    "PCNSVV": "Percent Change Nadir in Sum Viable Vol",
    "ACNSVV": "Absolute Change Nadir in Sum Viable Vol",
}
RS_TESTS: Mapping[str, str] = {
    "TRGRESP": "Target Response",
    "NTRGRESP": "Non-target Response",
    "NEWLPROG": "New Lesion Progression",
    "LIVRRESP": "Liver Response",
    "OVRLRESP": "Overall Response",
    "BESTRESP": "Best Overall Response",
    "SYMPTDTR": "Symptomatic Deterioration",
}

INVESTIGATOR, INDEPENDENT = "INVESTIGATOR", "INDEPENDENT ASSESSOR"
# --EVALID (MEDEVAL) -> what begins the link identifiers of that reader.
EVALUATOR_IDS: Mapping[str, str] = {
    **{f"READER {n}": f"R{n}" for n in (1, 2, 3)},
    **{f"RADIOLOGIST {n}": f"RAD{n}" for n in (1, 2, 3)},
    **{f"ONCOLOGIST {n}": f"ONC{n}" for n in (1, 2)},
    "ADJUDICATOR": "ADJ",
    **{f"ADJUDICATOR {n}": f"ADJ{n}" for n in (1, 2, 3)},
}

CT, MR = "CT", "MR"
METHODS: Mapping[tuple[str, bool | None], str] = {
    (CT, True): "CONTRAST ENHANCED CT SCAN",
    (CT, None): "CT SCAN",
    (CT, False): "CT SCAN WITHOUT CONTRAST",
    (MR, True): "CONTRAST ENHANCED MRI",
    (MR, None): "MRI",
    (MR, False): "MRI WITHOUT CONTRAST",
}
"""Modality, and whether the phase says that contrast was given (None: no phase is recorded) -> METHOD."""

SEGMENTS: Mapping[str, str] = {
    "i": "LIVER, CAUDATE LOBE",
    "ii": "LIVER, LEFT LOBE POSTEROLATERAL SEGMENT",
    "iii": "LIVER, LEFT LOBE ANTEROLATERAL SEGMENT",
    "iva": "LIVER, LEFT LOBE SUPEROMEDIAL SEGMENT",
    "ivb": "LIVER, LEFT LOBE INFEROMEDIAL SEGMENT",
    "v": "LIVER, RIGHT LOBE ANTEROINFERIOR SEGMENT",
    "vi": "LIVER, RIGHT LOBE POSTEROINFERIOR SEGMENT",
    "vii": "LIVER, RIGHT LOBE POSTEROSUPERIOR SEGMENT",
    "viii": "LIVER, RIGHT LOBE ANTEROSUPERIOR SEGMENT",
}
"""Couinaud segment -> LOC."""

_NODES = (
    *(
        "ABDOMINAL",
        "AORTOCAVAL",
        "AXILLARY",
        "CARDIOPHRENIC",
        "CELIAC",
        "CERVICAL",
        "DIAPHRAGMATIC",
        "HEPATIC",
        "ILIAC",
    ),
    *("INGUINAL", "INTRATHORACIC", "MEDIASTINAL", "MESENTERIC", "PARA-AORTIC", "PERITONEAL", "PORTA HEPATIS", "PORTAL"),
    *("RETROPERITONEAL", "SUPRACLAVICULAR"),
)
LOCATIONS: tuple[str, ...] = (
    *("LIVER", "LIVER, LEFT LOBE", "LIVER, RIGHT LOBE", "LIVER, CAUDATE LOBE", *SEGMENTS.values()),
    *(
        "PORTAL VEIN",
        "HEPATIC VEIN",
        "INFERIOR VENA CAVA",
        "INTRAHEPATIC BILE DUCT",
        "EXTRAHEPATIC BILE DUCT",
        "GALLBLADDER",
    ),
    *(
        "LUNG",
        "PLEURA",
        "MEDIASTINUM",
        "PERITONEUM",
        "RETROPERITONEUM",
        "OMENTUM",
        "MESENTERY",
        "ABDOMINAL WALL",
        "CHEST WALL",
    ),
    *(
        "ADRENAL GLAND",
        "KIDNEY",
        "SPLEEN",
        "PANCREAS",
        "STOMACH",
        "COLON",
        "RECTUM",
        "OVARY",
        "BONE",
        "BRAIN",
        "DIAPHRAGM",
    ),
    *("MUSCLE", "SKIN", "LYMPH NODE", *(f"{name} LYMPH NODE" for name in _NODES)),
)
"""The terms of LOC that an organ or a station is recognised as; any other place is written as it was recorded."""

EPOCHS = ("SCREENING", "TREATMENT", "FOLLOW-UP")
NOT_RECORDED, NOT_ASSESSABLE = "NOT RECORDED", "NOT ASSESSABLE"
REASONS = ("SCAN NOT PERFORMED", "IMAGE OBSCURED", NOT_ASSESSABLE, NOT_RECORDED)
"""Why something was not done, in TRREASND; a reader's other words go to SUPPTR."""

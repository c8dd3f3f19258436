"""Every coded concept of the segmentations and structured reports, in one place (docs/dicom-objects.md lists them all).

Standard codes come from DCM (PS3.16 Annex D), SNOMED CT, the NCI Thesaurus, UMLS, LOINC and UCUM. What these lack (mRECIST, the
diameter of the viable part, an overall response, "not evaluable", ...) is in the private scheme ``99MRECIST``. A code keeps its
value and meaning for ever; a concept is compared by value and scheme, never by its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mrecist.imaging.segments import Code
from mrecist.model import (
    Basis,
    Change,
    Cytology,
    Kind,
    LiradsResponse,
    LiradsVersion,
    LocalTherapy,
    NewLesion,
    Pattern,
    Response,
    Role,
    State,
    YesNo,
)

SCHEME = "99MRECIST"
SCHEME_UID = "2.25.169178655715583744490661817262464296517"
SCHEME_NAME = "mrecist private codes for tumour response"
SCHEME_VERSION = "1"
SCHEME_ORGANISATION = "mrecist project"


def _code(value: str, scheme: str, meaning: str) -> Code:
    return Code(value=value, scheme=scheme, meaning=meaning)


def _private(value: str, meaning: str) -> Code:
    return _code(value, SCHEME, meaning)


def same(one: Code, other: Code) -> bool:
    """Whether two codes are one concept: value and scheme, in any spelling of the meaning."""
    return (one.value, one.scheme) == (other.value, other.scheme)


# --- segments --------------------------------------------------------------------------------------------------------

ABNORMAL_STRUCTURE = _code("49755003", "SCT", "Morphologically Abnormal Structure")
LESION = _code("52988006", "SCT", "Lesion")
ENHANCING = _code("C113842", "NCIt", "Enhancing Lesion")
NON_ENHANCING = _code("C81175", "NCIt", "Non-Enhancing Lesion")
LYMPH_NODE = _code("59441001", "SCT", "Lymph node")
LIVER = _code("10200004", "SCT", "Liver")

# The word in the column ``organ`` -> anatomic region, finding site. An organ that is not here is written as text only.
ORGANS: Mapping[str, Code] = {
    "liver": LIVER,
    "hepatic": LIVER,
    "lymph node": LYMPH_NODE,
    "adrenal": _code("23451007", "SCT", "Adrenal gland"),
    "adrenal gland": _code("23451007", "SCT", "Adrenal gland"),
    "bladder": _code("89837001", "SCT", "Urinary bladder"),
    "bone": _code("272673000", "SCT", "Bone"),
    "brain": _code("12738006", "SCT", "Brain"),
    "breast": _code("76752008", "SCT", "Breast"),
    "colon": _code("71854001", "SCT", "Colon"),
    "heart": _code("80891009", "SCT", "Heart"),
    "kidney": _code("64033007", "SCT", "Kidney"),
    "lung": _code("39607008", "SCT", "Lung"),
    "mediastinum": _code("72410000", "SCT", "Mediastinum"),
    "oesophagus": _code("32849002", "SCT", "Esophagus"),
    "esophagus": _code("32849002", "SCT", "Esophagus"),
    "ovary": _code("15497006", "SCT", "Ovary"),
    "pancreas": _code("15776009", "SCT", "Pancreas"),
    "peritoneum": _code("15425007", "SCT", "Peritoneum"),
    "pleura": _code("3120008", "SCT", "Pleura"),
    "portal vein": _code("32764006", "SCT", "Portal vein"),
    "prostate": _code("41216001", "SCT", "Prostate"),
    "skin": _code("39937001", "SCT", "Skin"),
    "soft tissue": _code("87784001", "SCT", "Soft tissues"),
    "spleen": _code("78961009", "SCT", "Spleen"),
    "stomach": _code("69695003", "SCT", "Stomach"),
    "thyroid": _code("69748006", "SCT", "Thyroid"),
    "uterus": _code("35039007", "SCT", "Uterus"),
}

# --- report: structure -----------------------------------------------------------------------------------------------

ONCOLOGY_REPORT = _code("126001", "DCM", "Oncology Measurement Report")
PROCEDURE_CT = _code("25045-6", "LN", "CT unspecified body region")
PROCEDURE_MR = _code("25056-3", "LN", "MRI unspecified body region")
READER_ROLE = _code("C28747", "NCIt", "Reader")
BASELINE_VISIT = _code("C1442488", "UMLS", "Baseline")

# --- report: numbers -------------------------------------------------------------------------------------------------

LONG_AXIS = _code("103339001", "SCT", "Long Axis")
SHORT_AXIS = _code("103340004", "SCT", "Short Axis")
VIABLE_LONG = _private("VIABLE-LONG", "Longest viable diameter")
VIABLE_SHORT = _private("VIABLE-SHORT", "Viable diameter perpendicular to the longest")
VOLUME = _code("118565006", "SCT", "Volume")
VOLUME_METHOD = _code("126030", "DCM", "Sum of segmented voxel method for volume")
MEAN_DENSITY = _code("112031", "DCM", "Attenuation Coefficient")
MEAN = _code("373098007", "SCT", "Mean")
MILLIMETRE = _code("mm", "UCUM", "mm")
SQUARE_MILLIMETRE = _code("mm2", "UCUM", "mm2")
CUBIC_MILLIMETRE = _code("mm3", "UCUM", "mm3")
PERCENT = _code("%", "UCUM", "%")
HOUNSFIELD = _code("[hnsf'U]", "UCUM", "Hounsfield unit")
UNITS: Mapping[str, Code] = {"mm": MILLIMETRE, "mm2": SQUARE_MILLIMETRE, "mm3": CUBIC_MILLIMETRE}

# --- report: words of a lesion ---------------------------------------------------------------------------------------

BASELINE_CATEGORY = _code("112016", "DCM", "Baseline Category")
CATEGORY_OF: Mapping[Role, Code] = {
    Role.TARGET: _code("112074", "DCM", "Target Lesion at Baseline"),
    Role.NON_TARGET: _code("112075", "DCM", "Non-Target Lesion at Baseline"),
    Role.NEW: _private("NEW-LESION", "New lesion, not there at baseline"),
}

# Column of measurements.csv with a fixed list of words -> the concept, and the code of each word.
WORDS: Mapping[str, tuple[Code, Mapping[StrEnum, Code]]] = {
    "kind": (
        _private("KIND", "Kind of lesion"),
        {
            Kind.LESION: _private("KIND-LESION", "Lesion that is no lymph node"),
            Kind.NODE: _private("KIND-NODE", "Lymph node, sized by its short axis"),
        },
    ),
    "state": (
        _private("STATE", "State of the lesion at this visit"),
        {
            State.MEASURED: _private("STATE-MEASURED", "Measured"),
            State.ABSENT: _private("STATE-ABSENT", "Absent"),
            State.TOO_SMALL: _private("STATE-TOO-SMALL", "Present, too small to measure"),
            State.NOT_EVALUABLE: _private("STATE-NE", "Lesion not evaluable"),
            State.MERGED: _private("STATE-MERGED", "Merged with another lesion"),
            State.PRESENT: _private("STATE-PRESENT", "Present"),
            State.PROGRESSED: _private("STATE-PROGRESSED", "Unequivocal progression"),
            State.UNEQUIVOCAL: _private("STATE-NEW", "Unequivocal new lesion"),
            State.EQUIVOCAL: _private("STATE-NEW-EQ", "Lesion that may be new, equivocal"),
        },
    ),
    "basis": (
        _private("BASIS", "Diameter by which the target is followed"),
        {
            Basis.VIABLE: _private("BASIS-VIABLE", "Viable diameter"),
            Basis.OVERALL: _private("BASIS-OVERALL", "Diameter of the whole lesion"),
        },
    ),
    "pattern": (
        _private("PATTERN", "Enhancement pattern of a nodule"),
        {
            Pattern.TYPICAL: _private("PATTERN-TYPICAL", "Arterial hyperenhancement with washout"),
            Pattern.ATYPICAL: _private("PATTERN-ATYPICAL", "Atypical enhancement"),
            Pattern.NONE: _private("PATTERN-NONE", "Neither typical nor atypical enhancement"),
        },
    ),
    "change": (
        _private("CHANGE", "Change since the last visit"),
        {
            Change.INCREASE: _private("CHANGE-INCREASE", "Increase"),
            Change.DECREASE: _private("CHANGE-DECREASE", "Decrease"),
            Change.NONE: _private("CHANGE-NONE", "No change"),
        },
    ),
    "intratumoral_nodule": (
        _private("NODULE", "Nodule inside the target (Choi)"),
        {
            Change.INCREASE: _private("NODULE-INCREASE", "New or larger nodule inside the target"),
            Change.DECREASE: _private("NODULE-DECREASE", "Smaller nodule inside the target"),
            Change.NONE: _private("NODULE-NONE", "No change of a nodule inside the target"),
        },
    ),
    "local_therapy": (
        _private("THERAPY", "Local therapy of the lesion"),
        {
            LocalTherapy.RESECTION: _private("THERAPY-RESECT", "Resection"),
            LocalTherapy.ABLATION: _private("THERAPY-ABLATION", "Ablation"),
            LocalTherapy.EMBOLISATION: _private("THERAPY-EMBOL", "Embolisation"),
            LocalTherapy.RADIATION: _private("THERAPY-RADIATE", "Radiation"),
            LocalTherapy.OTHER: _private("THERAPY-OTHER", "Other local therapy"),
        },
    ),
    "progressed_since": (
        _private("PROGR-SINCE", "Progression since the local therapy"),
        {
            YesNo.YES: _private("PROGR-SINCE-YES", "Progressed since the local therapy"),
            YesNo.NO: _private("PROGR-SINCE-NO", "Not progressed since the local therapy"),
        },
    ),
    "imaged_at_baseline": (
        _private("IMAGED", "Region of the new lesion imaged at baseline"),
        {
            YesNo.YES: _private("IMAGED-YES", "Region was imaged at baseline"),
            YesNo.NO: _private("IMAGED-NO", "Region was not imaged at baseline"),
        },
    ),
    "lipiodol": (
        _private("HAS-LIPIODOL", "Lipiodol"),
        {
            YesNo.YES: _private("HAS-LIPIODOL-YES", "Lipiodol in the lesion"),
            YesNo.NO: _private("HAS-LIPIODOL-NO", "No lipiodol in the lesion"),
        },
    ),
    "cytology": (
        _private("CYTOLOGY", "Cytology of an effusion or ascites"),
        {
            Cytology.MALIGNANT: _private("CYTO-MALIGNANT", "Malignant cytology"),
            Cytology.BENIGN: _private("CYTO-BENIGN", "Benign cytology"),
            Cytology.NOT_DONE: _private("CYTO-NOT-DONE", "Cytology not done"),
        },
    ),
    "lirads_tr": (
        _private("LIRADS-TR", "LI-RADS treatment response"),
        {
            LiradsResponse.VIABLE: _private("LR-TR-VIABLE", "LR-TR Viable"),
            LiradsResponse.EQUIVOCAL: _private("LR-TR-EQUIVOCAL", "LR-TR Equivocal"),
            LiradsResponse.NONVIABLE: _private("LR-TR-NONVIABLE", "LR-TR Nonviable"),
            LiradsResponse.NONPROGRESSING: _private("LR-TR-NONPROGR", "LR-TR Nonprogressing"),
            LiradsResponse.NONEVALUABLE: _private("LR-TR-NE", "LR-TR Nonevaluable"),
        },
    ),
    "lirads_version": (
        _private("LIRADS-VERSION", "LI-RADS treatment response algorithm"),
        {
            LiradsVersion.V2018: _private("LR-TR-2018", "LI-RADS treatment response 2018"),
            LiradsVersion.V2024_NONRADIATION: _private("LR-TR-2024-NR", "LI-RADS nonradiation treatment response 2024"),
            LiradsVersion.V2024_RADIATION: _private("LR-TR-2024-R", "LI-RADS radiation treatment response 2024"),
        },
    ),
}

# Column of measurements.csv -> the concept that holds its cell as it stands in the table.
TEXTS: Mapping[str, Code] = {
    "organ": _private("ORGAN", "Organ in the reader's words"),
    "station": _private("STATION", "Station of a node, or side"),
    "part_of": _private("PART-OF", "Lesion that this one split from or merged into"),
    "modality": _private("MODALITY", "Modality of the measured series"),
    "phase": _private("PHASE", "Contrast phase of the measured series"),
    "comment": _code("121106", "DCM", "Comment"),
    # The decimals that were recorded and that decide the response, beside the unrounded lengths of the lines.
    "longest_mm": _private("REC-LONG", "Recorded longest diameter in mm"),
    "short_mm": _private("REC-SHORT", "Recorded short axis in mm"),
    "viable_mm": _private("REC-VIABLE", "Recorded longest viable diameter in mm"),
    "viable_short_mm": _private("REC-VIABLE-SHORT", "Recorded perpendicular viable diameter in mm"),
    "volume_mm3": _private("REC-VOLUME", "Recorded volume in mm3"),
    "viable_volume_mm3": _private("REC-VIABLE-VOL", "Recorded viable volume in mm3"),
    "mean_hu": _private("REC-MEAN-HU", "Recorded mean density in HU"),
    "viable_foci_mm": _private("VIABLE-FOCI", "Longest diameters of the viable foci in mm"),
    "manual": _private("BY-HAND", "Sizes that the reader set by hand"),
    "dense_percent": _private("DENSE-PERCENT", "Share of very dense voxels in the lesion in percent"),
    "slice_thickness_mm": _private("SLICE-THICKNESS", "Slice thickness of the measured series in mm"),
}
"""Every column is written whose cell is not empty, so that a report can be read back and assessed again."""

# --- report: response ------------------------------------------------------------------------------------------------

RESPONSE_EVALUATION = _code("112020", "DCM", "Response Evaluation")
CURRENT_RESPONSE = _code("112048", "DCM", "Current Response")
SUM_OF_TARGETS = _code("112051", "DCM", "Measurement of Response")
TOTAL = _code("255619001", "SCT", "Total")
BASELINE_SUM = _private("SUM-BASELINE", "Sum of the targets at baseline")
NADIR_SUM = _private("SUM-NADIR", "Smallest complete sum of the targets before this visit")
PERCENT_FROM_BASELINE = _private("PCT-BASELINE", "Change of the sum from baseline in percent")
PERCENT_FROM_NADIR = _private("PCT-NADIR", "Change of the sum from the nadir in percent")
CHANGE_FROM_NADIR = _private("ABS-NADIR", "Change of the sum from the nadir")
TARGET_RESPONSE = _private("TARGET-RESP", "Response of the target lesions")
NON_TARGET_RESPONSE = _private("NONTARGET-RESP", "Response of the non-target lesions")
OVERALL_RESPONSE = _private("OVERALL-RESP", "Overall response at this visit")
NEW_LESION = _private("NEW", "New lesion at this visit")
CRITERION = _private("CRITERION", "Name of the criterion in the protocol")
FLAGS = _private("FLAGS", "Flags of the response")
REASON = _private("REASON", "Why the response is what it is")
PROTOCOL_SHA256 = _private("PROTOCOL-SHA256", "SHA-256 of the protocol that the response follows")

# Name of a built-in criterion (``standard`` of a protocol's section) -> measurement method.
METHODS: Mapping[str, Code] = {
    "recist11": _code("126081", "DCM", "RECIST 1.1"),
    "mrecist": _private("MRECIST", "mRECIST"),
    "irecist": _private("IRECIST", "iRECIST"),
    "easl": _private("EASL", "EASL"),
    "qeasl": _private("QEASL", "qEASL"),
    "vrecist": _private("VRECIST", "vRECIST"),
    "choi": _private("CHOI", "Choi"),
    "recicl": _private("RECICL", "RECICL"),
    "protocol": _private("PROTOCOL", "Rules of the study"),
}
# The same on a tumour that is no hepatocellular carcinoma, where the protocol allows it.
METHODS_NOT_HCC: Mapping[str, Code] = {
    "mrecist": _private("MRECIST-LIKE", "mRECIST-like, not hepatocellular carcinoma"),
    "easl": _private("EASL-LIKE", "EASL-like, not hepatocellular carcinoma"),
    "qeasl": _private("QEASL-LIKE", "qEASL-like, not hepatocellular carcinoma"),
    "recicl": _private("RECICL-LIKE", "RECICL-like, not hepatocellular carcinoma"),
    "protocol": _private("PROTOCOL-LIKE", "Rules of the study, not hepatocellular carcinoma"),
}

# CID 6143 and 6144: their definitions say 30 % and 20 %, so they are written for criteria with these cut-offs only.
STANDARD_TARGET: Mapping[Response, Code] = {
    Response.CR: _code("112041", "DCM", "Target Lesion Complete Response"),
    Response.PR: _code("112042", "DCM", "Target Lesion Partial Response"),
    Response.PD: _code("112043", "DCM", "Target Lesion Progressive Disease"),
    Response.SD: _code("112044", "DCM", "Target Lesion Stable Disease"),
}
STANDARD_NON_TARGET: Mapping[Response, Code] = {
    Response.CR: _code("112045", "DCM", "Non-Target Lesion Complete Response"),
    Response.NON_CR_NON_PD: _code("112046", "DCM", "Non-Target Lesion Incomplete Response or Stable Disease"),
    Response.PD: _code("112047", "DCM", "Non-Target Lesion Progressive Disease"),
}
RESPONSES: Mapping[Response, Code] = {
    Response.CR: _private("CR", "Complete response"),
    Response.PR: _private("PR", "Partial response"),
    Response.SD: _private("SD", "Stable disease"),
    Response.NON_CR_NON_PD: _private("NON-CR-NON-PD", "Neither complete response nor progressive disease"),
    Response.PD: _private("PD", "Progressive disease"),
    Response.NE: _private("NE", "Not evaluable"),
    Response.NA: _private("NA", "Not applicable, no such lesions"),
    Response.ICR: _private("ICR", "iRECIST complete response"),
    Response.IPR: _private("IPR", "iRECIST partial response"),
    Response.ISD: _private("ISD", "iRECIST stable disease"),
    Response.NON_ICR_NON_IUPD: _private("NON-ICR-NON-IUPD", "iRECIST neither complete response nor progression"),
    Response.IUPD: _private("IUPD", "iRECIST unconfirmed progressive disease"),
    Response.ICPD: _private("ICPD", "iRECIST confirmed progressive disease"),
}
NEW_LESIONS: Mapping[NewLesion, Code] = {
    NewLesion.YES: _private("NEW-YES", "New lesion"),
    NewLesion.NO: _private("NEW-NO", "No new lesion"),
    NewLesion.EQUIVOCAL: _private("NEW-EQUIVOCAL", "Equivocal new lesion"),
}

"""Attributes that identify, each with what to do about it.

Source: DICOM PS3.15 Table E.1-1 (Basic Application Level Confidentiality Profile): those of its attributes that hold a
person, a contact, a number of a patient, order or visit, an institution, a device, or free text. Attributes that the profile
removes and that identify nobody by themselves (times, technique, weight) are left out, because a trial needs them; dates and
UIDs are checked in ``across`` by what they do, not by being there. People's names are found by their VR, not from this list.
"""

from __future__ import annotations

from typing import NamedTuple

from mrecist.identity.finding import Severity


class Rule(NamedTuple):
    """Code, severity, what the attribute is, what to do."""

    code: str
    severity: Severity
    what: str
    what_to_do: str


PERSON = Rule("PERSON_NAME", Severity.HIGH, "a person's name", "empty it, or put the subject's code there")
READER = Rule("READER_NAME", Severity.LOW, "a reader's or operator's name", "put a code such as R1 there")
PRIVATE = Rule(
    "PRIVATE_TAG",
    Severity.MEDIUM,
    "a private attribute: nobody but the vendor knows what it holds",
    "remove private attributes, or keep those known to be safe (option 113111, Retain Safe Private)",
)
_PATIENT = Rule("PATIENT_IDENTIFIER", Severity.HIGH, "a number, address or date of a person", "remove it")
_ORDER = Rule(
    "ORDER_NUMBER", Severity.HIGH, "the number of an order, visit or examination at the hospital", "remove it"
)
_PLACE = Rule(
    "INSTITUTION", Severity.MEDIUM, "a hospital, department or address", "remove it, or put the site's code there"
)
_DEVICE = Rule(
    "DEVICE_IDENTIFIER",
    Severity.MEDIUM,
    "a serial number or name of a device, which leads to the hospital",
    "remove it; manufacturer and model may stay",
)
_TRAIT = Rule("PERSONAL_TRAIT", Severity.LOW, "a trait of a person", "remove it unless the protocol needs it")
_TEXT = Rule("FREE_TEXT", Severity.MEDIUM, "free text that somebody typed", "remove it, or read it and clean it")

# fmt: off
RULES: dict[str, Rule] = {
    **dict.fromkeys((
        "PatientBirthDate", "PatientBirthTime", "OtherPatientIDs", "IssuerOfPatientID", "PatientAddress",
        "PatientTelephoneNumbers", "PatientTelecomInformation", "MedicalRecordLocator", "InsurancePlanIdentification",
        "PersonAddress", "PersonTelephoneNumbers", "PersonTelecomInformation", "ReferringPhysicianAddress",
        "ReferringPhysicianTelephoneNumbers", "ReferencedPatientPhotoSequence", "PatientInstitutionResidence",
    ), _PATIENT),
    **dict.fromkeys((
        "AccessionNumber", "AdmissionID", "IssuerOfAdmissionID", "ServiceEpisodeID", "RequestedProcedureID",
        "ScheduledProcedureStepID", "PerformedProcedureStepID", "PlacerOrderNumberImagingServiceRequest",
        "FillerOrderNumberImagingServiceRequest", "StudyID",
    ), _ORDER),
    **dict.fromkeys((
        "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "RequestingService",
        "CurrentPatientLocation", "VerifyingOrganization", "CustodialOrganizationSequence", "ClinicalTrialSiteName",
    ), _PLACE),
    **dict.fromkeys((
        "DeviceSerialNumber", "DeviceUID", "DeviceID", "StationName", "PerformedStationName", "PerformedStationAETitle",
        "ScheduledStationName", "ScheduledStationAETitle", "DetectorID", "GantryID", "GeneratorID", "CassetteID",
        "PlateID", "XRaySourceID", "RetrieveAETitle",
    ), _DEVICE),
    **dict.fromkeys((
        "EthnicGroup", "Occupation", "MilitaryRank", "BranchOfService", "CountryOfResidence", "RegionOfResidence",
        "PatientReligiousPreference", "PatientState", "SpecialNeeds",
    ), _TRAIT),
    **dict.fromkeys((
        "PatientComments", "ImageComments", "FrameComments", "StudyComments", "AdditionalPatientHistory", "Allergies",
        "MedicalAlerts", "VisitComments", "ReasonForStudy", "RequestedProcedureComments", "AcquisitionComments",
        "ImagingServiceRequestComments", "CommentsOnThePerformedProcedureStep", "ResultsComments", "InterpretationText",
        "CommentsOnTheScheduledProcedureStep", "ReasonForTheRequestedProcedure", "ReasonForTheImagingServiceRequest",
        "AdmittingDiagnosesDescription", "OverlayComments", "DischargeDiagnosisDescription", "TextString",
        "ScheduledPatientInstitutionResidence", "TextValue", "UnformattedTextValue", "StudyStatusID",
    ), _TEXT),
}
# Texts that a trial needs (phase, series): looked at, and reported only when they seem to hold a person.
DESCRIPTIONS = frozenset({
    "StudyDescription", "SeriesDescription", "ProtocolName", "PerformedProcedureStepDescription",
    "RequestedProcedureDescription", "AcquisitionProtocolName", "AcquisitionProtocolDescription", "DerivationDescription",
    "SegmentLabel", "SegmentDescription", "ContentLabel", "ContentDescription", "TrackingID", "ContributionDescription",
})
REPORT_TEXTS = frozenset({"TextValue", "UnformattedTextValue", "TextString"})  # one word is a code, more is prose
READERS = frozenset({"ContentCreatorName", "OperatorsName", "VerifyingObserverName", "ObserverName"})
# Roots under which vendors of scanners number what their devices make (registered with the DICOM Standard's publishers and
# the national bodies): such a UID was most likely not replaced. Siemens' hold the serial number and the time of the scan.
VENDOR_ROOTS = {
    "1.3.12.2.1107.": "Siemens", "1.2.840.113619.": "GE", "1.3.46.670589.": "Philips", "1.2.840.113704.": "Philips",
    "1.2.392.200036.9116.": "Canon/Toshiba", "1.2.392.200036.9123.": "Hitachi", "1.2.392.200036.9125.": "Fujifilm",
}
# fmt: on
DUMMY_DATES = frozenset({"00010101", "11111111", "19000101", "19010101", "19700101", "19600101"})
UIDS = frozenset({"SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"})
PLACEHOLDERS = frozenset(
    {
        "anon",
        "anonym",
        "anonymous",
        "anonymized",
        "anonymised",
        "deidentified",
        "removed",
        "none",
        "unknown",
        "na",
        "xxx",
    }
)

"""The text of a data element that pydicom has read but not yet converted, where no conversion is needed to know it.

pydicom keeps the bytes of an element until somebody asks for its value, and then builds an object (DSfloat, MultiValue,
PersonName, UID) for it, which costs more than reading the whole header. A scan asks for some fifty values a slice and only
needs their text. So plain ASCII values, and a single unsigned short, are given as text here; everything else is left to pydicom: other
character sets, binary numbers, sequences, values of unknown VR, ideographic names.

Source: DICOM PS3.5 section 6.2 (value representations: backslash separates values, padding is space or NUL).
"""

from __future__ import annotations

from functools import cache
from typing import Any

_SEVERAL_VALUES = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"})
_ONE_VALUE = frozenset({"LT", "ST", "UT"})


@cache
def tag_and_vr(keyword: str) -> tuple[Any, str]:
    """Tag (a pydicom ``BaseTag``) and dictionary VR of a keyword.

    >>> tag_and_vr("Rows")
    ((0028,0010), 'US')
    """
    from pydicom.datadict import dictionary_VR
    from pydicom.tag import Tag

    tag = Tag(keyword)
    return tag, dictionary_VR(tag)


def unconverted_text(element: Any, vr: str) -> str | None:
    """The text of a raw element, values joined by a backslash; None when pydicom has to convert it.

    Parameters
    ----------
    element : ``pydicom.dataelem.RawDataElement``, as ``Dataset.get_item`` gives it.
    vr : the VR that the dictionary states, which is that of an element in implicit VR.
    """
    value, vr = element.value, element.VR or vr
    if not value or not isinstance(value, bytes):
        return "" if vr in _SEVERAL_VALUES and not value else None
    if vr == "US":
        return str(int.from_bytes(value, "little" if element.is_little_endian else "big")) if len(value) == 2 else None
    several = vr in _SEVERAL_VALUES
    if not (several or vr in _ONE_VALUE) or not value.isascii() or b"\x1b" in value or (vr == "PN" and b"=" in value):
        return None
    text = value.decode("ascii")
    if several and "\\" in text:
        return "\\".join([part.strip(" \0\t\r\n\f\v") for part in text.split("\\")])
    return text.strip(" \0\t\r\n\f\v")

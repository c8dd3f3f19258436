"""What an export to SDTM is asked for.

``[export] sdtm`` of the protocol and the command's options meet in :func:`settings_of`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mrecist.datasets.write import FORMATS
from mrecist.errors import InputError
from mrecist.exporting.sdtm.qualifiers import QUALIFIERS
from mrecist.protocol import Protocol
from mrecist.sdtm.codelists import TERMINOLOGY

GUIDES = ("3.3", "3.4")
ASSESSOR, SPONSOR = "assessor", "sponsor"
_RELEASE = re.compile(r"20\d\d-\d\d-\d\d")
_QNAM = re.compile(r"[A-Z][A-Z0-9_]{0,7}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdtmSettings:
    """``derived`` says who this package stands for: the assessor's sums and best responses are data, the sponsor's are analysis.

    ``readers`` and ``qnams`` are what the user names: reader -> evaluator, our QNAM -> another one.
    """

    guide: str = "3.4"
    terminology: str = TERMINOLOGY
    derived: str = ASSESSOR
    formats: tuple[str, ...] = ("xpt5",)
    study: str = ""
    readers: Mapping[str, str] = field(default_factory=dict)
    qnams: Mapping[str, str] = field(default_factory=dict)


def defaults_of(protocol: Protocol) -> SdtmSettings:
    """``export.sdtm`` of the protocol."""
    asked = protocol.export.sdtm
    return SdtmSettings(guide=asked.ig, terminology=asked.ct, derived=asked.derived, formats=asked.format)


def settings_of(
    protocol: Protocol,
    *,
    guide: str | None,
    terminology: str | None,
    derived: str | None,
    formats: Sequence[str] | None,
    study: str,
    readers: Sequence[str],
    qnams: Sequence[str],
) -> SdtmSettings:
    """The settings by the options that were given, else by the protocol; raises :class:`InputError` for one that cannot be."""
    unset = defaults_of(protocol)
    settings = SdtmSettings(
        guide=guide or unset.guide,
        terminology=terminology or unset.terminology,
        derived=derived or unset.derived,
        formats=tuple(dict.fromkeys(formats or unset.formats)),
        study=study,
        readers=_pairs("--reader", readers),
        qnams={key.upper(): name.upper() for key, name in _pairs("--qnam", qnams).items()},
    )
    if settings.guide not in GUIDES:
        raise InputError(f"--ig {settings.guide}: is no SDTMIG that is written; use one of: {', '.join(GUIDES)}")
    if not _RELEASE.fullmatch(settings.terminology):
        raise InputError(f"--ct {settings.terminology}: is no release of controlled terms such as {TERMINOLOGY}")
    if settings.derived not in (ASSESSOR, SPONSOR):
        raise InputError(f"--derived {settings.derived}: is neither {ASSESSOR} nor {SPONSOR}")
    for name in settings.formats:
        if name not in FORMATS:
            raise InputError(f"--format {name}: is not one of: {', '.join(FORMATS)}")
    _check_qnams(settings.qnams)
    return settings


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise InputError(f"{option} {text}: is not NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def _check_qnams(qnams: Mapping[str, str]) -> None:
    known = {one.qnam for one in QUALIFIERS}
    for mine, name in qnams.items():
        if mine not in known:
            raise InputError(f"--qnam {mine}: is no qualifier that is written; there are: {', '.join(sorted(known))}")
        if not _QNAM.fullmatch(name):
            raise InputError(f"--qnam {mine}={name}: a QNAM is 1 to 8 capitals, digits and underscores")
    names = [qnams.get(one, one) for one in sorted(known)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"--qnam: two qualifiers would be called {twice[0]}; give each its own name")

"""What Define-XML says of the datasets of ``mrecist export adam``."""

from __future__ import annotations

from pathlib import Path

from mrecist.exporting.adam.inputs import StudyFiles
from mrecist.exporting.adam.run import MAY_BE, build_adam
from mrecist.exporting.define.parts import Clause, Told
from mrecist.exporting.define.run import Definable
from mrecist.exporting.sdtm.settings import SdtmSettings
from mrecist.protocol import Protocol


def define_of_adam(folder: Path, protocol: Protocol, settings: SdtmSettings, files: StudyFiles) -> Definable:
    """The datasets of a study with their definitions; raises :class:`InputError` as the export does."""
    built = build_adam(folder, protocol, settings, files)
    return Definable(
        standard=built.standard,
        title=protocol.title,
        datasets=built.datasets,
        may_be=MAY_BE,
        describe=_told,
        deriver="Sponsor",
        comment="Analysis datasets of tumour assessments by imaging, derived by the rules and endpoints of the study's protocol.",
        comments={},
    )


def _told(_dataset: str, clause: Clause) -> Told:
    """The variables say how they are derived; the label of a parameter is PARAM."""
    return Told(label=" ".join(clause.values()))

"""Series that break the common readers, each with the verdict it must get in every form that can hold it.

The first block is the list that readers were measured on (missing slices, phases under one UID, tilt, copies, localizers, ...);
what it says of each is what a radiologist would do with the series: use it, use it as several, or send it back. Slice i of
volume v is stamped ``1000 * v + i``, so a stamp in the wrong stack is a mixed volume.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from build_forms import FORMS
from build_series import FRAME, ROOT, STUDY, Image, axial, rgb

# Number of slices, verdict, code, step in mm, stamps in stack order (None: must not load).
Row = tuple[int, str, str, float | None, list[int] | None]
FILES = ("CT", "MR")


@dataclass(frozen=True, kw_only=True)
class Case:
    """``said`` must stand in a note or verdict text; ``forms`` are those in which the case can exist."""

    build: Callable[[], list[Image]]
    rows: list[Row]
    said: str = ""
    forms: tuple[str, ...] = FORMS


def ok(stamps: list[int], step: float = 3.0) -> Row:
    return len(stamps), "ok", "", step, stamps


def in_plane(code: str, stamps: list[int]) -> Row:
    return len(stamps), "in-plane", code, None, stamps


def refused(code: str, count: int) -> Row:
    return count, "refused", code, None, None


def volume(number: int, count: int = 12, first: int = 0) -> list[int]:
    return [1000 * number + i for i in range(first, first + count)]


V0, V1, V2 = volume(0), volume(1), volume(2)


def without(images: list[Image], *numbers: int) -> list[Image]:
    return [image for i, image in enumerate(images) if i not in numbers]


def phases(*tags: dict[str, Any], count: int = 12, offset: float = 0.0) -> list[Image]:
    """One volume for each set of tags, the next one displaced by ``offset`` mm."""
    return [im for v, t in enumerate(tags) for im in axial(count, phase=v, start=100 + v * offset, **t)]


def timed(images: list[Image], start: float, step: float = 0.5) -> list[Image]:
    """The slices with an AcquisitionTime each, seconds after noon."""
    return [
        replace(im, tags={**im.tags, "AcquisitionTime": clock(start + i * step), "AcquisitionDate": "20200131"})
        for i, im in enumerate(images)
    ]


def clock(seconds: float) -> str:
    return f"12{int(seconds // 60):02d}{seconds % 60:09.6f}"


def alike(images: list[Image]) -> list[Image]:
    """No InstanceNumber tells anything."""
    return [replace(im, number=1) for im in images]


def at(places: list[float], **tags: Any) -> list[Image]:
    return [Image((0.0, 0.0, z), i, i + 1, dict(tags)) for i, z in enumerate(places)]


def change(images: list[Image], numbers: range | list[int], **tags: Any) -> list[Image]:
    return [replace(im, tags={**im.tags, **tags}) if i in numbers else im for i, im in enumerate(images)]


def interleaved_times(offset: float = 0.0) -> list[Image]:
    """Phases at half a second a slice, 40 s a phase; instance numbers alternate."""
    images = [timed(axial(phase=v, start=100 + v * offset), 10 + 40 * v) for v in (0, 1)]
    return [replace(im, number=2 * i + v + 1) for v in (0, 1) for i, im in enumerate(images[v])]


def tilted(degrees: float = 15.0) -> list[Image]:
    angle = math.radians(degrees)
    return axial(ImageOrientationPatient=[1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle)])


def jitter() -> list[Image]:
    """Positions off by up to 4 µm, cosines by 1e-5, on both sides of a rounding edge."""
    images = []
    for i, image in enumerate(axial()):
        sign = 1 if i % 2 else -1
        x, y, z = image.position
        cosines = [1.0, sign * 1e-5, 0.0, 0.0005 + sign * 1e-5, 1.0, sign * 1e-5]
        place = (x, y + sign * 4e-6, z + sign * 4e-6)
        images.append(replace(image, position=place, tags={"ImageOrientationPatient": cosines}))
    return images


def another(images: list[Image], index: int, **changes: Any) -> list[Image]:
    """The slices and a second one at the place of slice ``index``."""
    return [*images, replace(images[index], uid=f"{ROOT}.9", **changes)]


def extra(position: tuple[float, float, float], stamp: int, **tags: Any) -> list[Image]:
    return [*axial(), Image(position, stamp, 99, tags)]


LOCALIZER = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
REFORMAT = {"ImageType": ["DERIVED", "SECONDARY", "MPR"], "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}

LISTED: dict[str, Case] = {
    "plain": Case(build=axial, rows=[ok(V0)]),
    "reversed InstanceNumber": Case(
        build=lambda: [replace(i, number=99 - i.number) for i in axial()], rows=[ok(V0)], forms=FILES
    ),
    "identical InstanceNumber": Case(build=lambda: alike(axial()), rows=[ok(V0)]),
    "missing middle slice": Case(
        build=lambda: without(axial(), 5), rows=[refused("MISSING_SLICES", 11)], said="1 slice missing between 112.00"
    ),
    "missing slices in two places": Case(
        build=lambda: without(axial(), 3, 7, 8), rows=[refused("MISSING_SLICES", 9)], said="3 slices missing"
    ),
    "missing end slice, which no header shows": Case(build=lambda: axial()[:11], rows=[ok(volume(0, 11))]),
    "two phases, one UID (AcquisitionNumber)": Case(
        build=lambda: phases({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}),
        rows=[ok(V0), ok(V1)],
        said="split 1 of 2 by AcquisitionNumber",
    ),
    "two phases, interleaved, only times differ": Case(
        build=interleaved_times, rows=[ok(V0), ok(V1)], said="split 2 of 2 by AcquisitionTime"
    ),
    "Dixon in/opp in one UID": Case(
        build=lambda: phases({"EchoTime": 2.3}, {"EchoTime": 1.15}), rows=[ok(V1), ok(V0)], forms=("MR", "enhanced MR")
    ),
    "duplicate slice": Case(
        build=lambda: another(axial(), 5, number=99), rows=[ok(V0)], said="dropped 1 exact duplicate slice"
    ),
    "copied file": Case(
        build=lambda: another(
            another(without(axial(), 5), 4, position=(-50, -60, 115), stamp=5), 4, position=(-50, -60, 115), stamp=5
        ),
        rows=[ok([0, 1, 2, 3, 4, 5, *range(6, 12)])],
        said="dropped 1 exact duplicate slice",
        forms=FILES,
    ),
    "one SOPInstanceUID, two pictures": Case(
        build=lambda: another(another(without(axial(), 5), 4, stamp=500), 4, stamp=501),
        rows=[refused("DUPLICATE_UID", 13)],
        forms=FILES,
    ),
    "gantry tilt 15 degrees": Case(build=tilted, rows=[in_plane("TILT", V0)], said="sheared by 15.0 degrees"),
    "irregular 3/5 mm": Case(
        build=lambda: at([0, 3, 6, 9, 14, 19, 24, 29]),
        rows=[in_plane("IRREGULAR_STEP", volume(0, 8))],
        said="the step varies from 3.00 to 5.00 mm over 8 slices",
    ),
    "irregular 3/5 mm, 5 mm thick": Case(
        build=lambda: at([0, 3, 6, 9, 14, 19, 24, 29], SliceThickness=5.0),
        rows=[in_plane("IRREGULAR_STEP", volume(0, 8))],
    ),
    "alternating 3/5 mm, 5 mm thick": Case(
        build=lambda: at([0, 3, 8, 11, 16, 19, 24, 27], SliceThickness=5.0),
        rows=[in_plane("IRREGULAR_STEP", volume(0, 8))],
    ),
    "localizer inside": Case(
        build=lambda: extra((0.0, 0.0, 130.0), 0, **LOCALIZER), rows=[ok(V0), refused("LOCALIZER", 1)]
    ),
    "derived MPR inside": Case(
        build=lambda: extra((0.0, 20.0, 130.0), 500, **REFORMAT), rows=[ok(V0), in_plane("SINGLE_SLICE", [500])]
    ),
    "perfusion map inside": Case(
        build=lambda: extra((0.0, 20.0, 130.0), 500, ImageType=["DERIVED", "PRIMARY", "PERFUSION", "RCBF"]),
        rows=[ok(V0), refused("DERIVED", 1)],
    ),
    "RGB save inside": Case(
        build=lambda: [*axial(), rgb((0.0, 0.0, 150.0), 99)], rows=[ok(V0), refused("NOT_GREYSCALE", 1)], forms=FILES
    ),
    "position and orientation jitter": Case(build=jitter, rows=[ok(V0)]),
    "PixelSpacing changes mid-series": Case(
        build=lambda: change(axial(), range(6, 12), PixelSpacing=[0.9, 0.7]),
        rows=[ok(volume(0, 6)), ok(volume(0, 6, 6))],
    ),
    "two FrameOfReferenceUID": Case(
        build=lambda: change(axial(), range(6, 12), FrameOfReferenceUID=f"{FRAME}.7"),
        rows=[ok(volume(0, 6)), ok(volume(0, 6, 6))],
    ),
    "MONOCHROME1": Case(
        build=lambda: axial(PhotometricInterpretation="MONOCHROME1"),
        rows=[ok(V0)],
        said="MONOCHROME1: values are used as stored",
    ),
    "no ImagePositionPatient": Case(
        build=lambda: axial(ImagePositionPatient=None),
        rows=[refused("NO_GEOMETRY", 12)],
        said="no ImagePositionPatient",
    ),
    "no ImageOrientationPatient": Case(
        build=lambda: axial(ImageOrientationPatient=None),
        rows=[refused("NO_GEOMETRY", 12)],
        said="no ImageOrientationPatient",
    ),
}

PHASE_TAGS = {
    "time series by TemporalPositionIdentifier": ("TemporalPositionIdentifier", (1, 2, 3)),
    "time series by TriggerTime": ("TriggerTime", (0, 250, 500)),
    "two kernels over each other": ("ConvolutionKernel", ("B30f", "B70f")),
    "two thicknesses over each other": ("SliceThickness", (3.0, 3.5)),
}
ENERGY = ["DERIVED", "PRIMARY", "AXIAL", "VMI"]

BEYOND: dict[str, Case] = {
    **{
        name: Case(
            build=lambda tag=tag, values=values: alike(phases(*({tag: v} for v in values))),
            rows=[ok(volume(v)) for v in range(len(values))],
            said=f"by {tag}",
            forms=FILES if tag == "ConvolutionKernel" else FORMS,
        )
        for name, (tag, values) in PHASE_TAGS.items()
    },
    "two phases by InstanceNumber only": Case(
        build=lambda: phases({}, {}), rows=[ok(V0), ok(V1)], said="split 1 of 2 by InstanceNumber", forms=FILES
    ),
    "two phases that nothing tells apart": Case(
        build=lambda: alike(phases({}, {})),
        rows=[refused("DUPLICATE_POSITIONS", 24)],
        said="24 slices at 12 positions, 12 of them taken more than once",
    ),
    "two phases half a step apart": Case(
        build=lambda: alike(phases({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}, offset=1.5)),
        rows=[ok(V0), ok(V1)],
    ),
    "two phases half a step apart, only times differ": Case(
        build=lambda: interleaved_times(1.5), rows=[ok(V0), ok(V1)], said="by AcquisitionTime"
    ),
    "three phases a third of a step apart, only times differ": Case(
        build=lambda: alike([im for v in range(3) for im in timed(axial(phase=v, start=100 + v), 10 + 40 * v)]),
        rows=[ok(V0), ok(V1), ok(V2)],
        said="split 3 of 3 by AcquisitionTime",
    ),
    "two phases half a step apart, only InstanceNumber differs": Case(
        build=lambda: phases({}, {}, offset=1.5), rows=[ok(V0), ok(V1)], forms=FILES
    ),
    "two phases of other length half a step apart, only InstanceNumber differs": Case(
        build=lambda: [*axial(), *axial(9, phase=1, start=104.5)], rows=[ok(V0), ok(volume(1, 9))], forms=FILES
    ),
    "second phase 0.03 mm beside the first": Case(
        build=lambda: alike(phases({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}, offset=0.03)),
        rows=[ok(V0), ok(V1)],
    ),
    "second phase 0.03 mm beside the first, nothing tells": Case(
        build=lambda: alike(phases({}, {}, offset=0.03)), rows=[refused("DUPLICATE_POSITIONS", 24)]
    ),
    "second volume 1.2 mm beside the first, nothing tells": Case(
        build=lambda: alike(phases({}, {}, offset=1.2)),
        rows=[refused("DUPLICATE_POSITIONS", 24)],
        said="2 volumes with a step of 3.00 mm lie between one another",
    ),
    "volumes of different range 1.2 mm beside one another, nothing tells": Case(
        build=lambda: alike([*axial(), *axial(9, phase=1, start=113.2)]),
        rows=[refused("DUPLICATE_POSITIONS", 21)],
        said="lie between one another in a part of the stack",
    ),
    "phases of different range": Case(
        build=lambda: [*axial(AcquisitionNumber=1), *axial(9, phase=1, start=112, AcquisitionNumber=2)],
        rows=[ok(V0), ok(volume(1, 9))],
    ),
    "phases of different range, only times differ": Case(
        build=lambda: alike([*timed(axial(), 10), *timed(axial(9, phase=1, start=112), 50)]),
        rows=[ok(V0), ok(volume(1, 9))],
    ),
    "phases of different range, nothing tells": Case(
        build=lambda: alike([*axial(), *axial(9, phase=1, start=112)]), rows=[refused("DUPLICATE_POSITIONS", 21)]
    ),
    "phases end to end with a pause": Case(
        build=lambda: [
            *timed(axial(6, AcquisitionNumber=1), 10),
            *timed(axial(6, phase=1, start=118, AcquisitionNumber=2), 60),
        ],
        rows=[ok(volume(0, 6)), ok(volume(1, 6))],
        said="by a pause between acquisitions",
        forms=("CT", "enhanced CT"),
    ),
    "one table position an acquisition": Case(
        build=lambda: [
            timed([replace(im, tags={"AcquisitionNumber": i + 1})], 10 + 6 * i)[0] for i, im in enumerate(axial())
        ],
        rows=[ok(V0)],
    ),
    "a slice missing in the second of two phases": Case(
        build=lambda: without(phases({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}), 17),
        rows=[ok(V0), refused("MISSING_SLICES", 11)],
    ),
    "a slice taken again with other pixels": Case(
        build=lambda: another(axial(), 5, stamp=900, number=99), rows=[refused("DUPLICATE_POSITIONS", 13)]
    ),
    "a slice taken again with other pixels, uneven times": Case(
        build=lambda: another(timed(axial(6), 10, 0.5) + timed(axial(12), 14, 0.5)[6:], 5, stamp=900, number=99),
        rows=[refused("DUPLICATE_POSITIONS", 13)],
    ),
    "two studies under one series UID": Case(
        build=lambda: change(axial(), range(6, 12), StudyInstanceUID=f"{STUDY}.7"),
        rows=[ok(volume(0, 6)), ok(volume(0, 6, 6))],
    ),
    "two patients under one series UID": Case(
        build=lambda: change(axial(), range(6, 12), PatientID="P2"), rows=[ok(volume(0, 6)), ok(volume(0, 6, 6))]
    ),
    "feet first: column direction turned": Case(
        build=lambda: axial(ImageOrientationPatient=[-1, 0, 0, 0, 1, 0]), rows=[ok(V0[::-1])]
    ),
    "prone: both directions turned": Case(
        build=lambda: axial(ImageOrientationPatient=[-1, 0, 0, 0, -1, 0]), rows=[ok(V0)]
    ),
    "half of the slices turned in their plane": Case(
        build=lambda: change(axial(), range(6, 12), ImageOrientationPatient=[-1, 0, 0, 0, -1, 0]),
        rows=[ok(volume(0, 6)), ok(volume(0, 6, 6))],
    ),
    "two orientations at one position": Case(
        build=lambda: extra((-50.0, -60.0, 115.0), 500, ImageOrientationPatient=[0, 1, 0, 0, 0, -1]),
        rows=[ok(V0), in_plane("SINGLE_SLICE", [500])],
    ),
    "slices round an axis": Case(
        build=lambda: [
            replace(
                im, position=(0.0, 0.0, 0.0), tags={"ImageOrientationPatient": [math.cos(a), math.sin(a), 0, 0, 0, -1]}
            )
            for a, im in ((0.3 * i, im) for i, im in enumerate(axial(6)))
        ],
        rows=[in_plane("SINGLE_SLICE", [i]) for i in range(6)],
    ),
    "positions to one decimal": Case(
        build=lambda: at([0, 0.6, 1.3, 1.9, 2.5, 3.1, 3.8], SliceThickness=0.625), rows=[ok(volume(0, 7), 0.625)]
    ),
    "negative SpacingBetweenSlices": Case(build=lambda: axial(SpacingBetweenSlices=-5.0), rows=[ok(V0)]),
    "wrong SliceLocation": Case(
        build=lambda: [replace(im, tags={"SliceLocation": 7.0 * (i % 4)}) for i, im in enumerate(axial())],
        rows=[ok(V0)],
        forms=FILES,
    ),
    "overlapping reconstruction": Case(
        build=lambda: axial(SliceThickness=5.0), rows=[ok(V0)], said="overlapping slices: 5 mm thick every 3.00 mm"
    ),
    "gaps between slices": Case(
        build=lambda: axial(SliceThickness=2.5), rows=[ok(V0)], said="gaps between slices: 2.5 mm thick every 3.00 mm"
    ),
    "slices two thicknesses apart": Case(build=lambda: axial(SliceThickness=1.5), rows=[in_plane("SPARSE", V0)]),
    "single slice": Case(build=lambda: axial(1), rows=[in_plane("SINGLE_SLICE", [0])]),
    "one slice of other Rows": Case(
        build=lambda: change(axial(), [11], Rows=5), rows=[ok(volume(0, 11)), in_plane("SINGLE_SLICE", [11])]
    ),
    "PixelSpacing jitter 1e-5": Case(
        build=lambda: [
            replace(im, tags={"PixelSpacing": [0.8 + 1e-5 * (i % 3 - 1), 0.7]}) for i, im in enumerate(axial())
        ],
        rows=[ok(V0)],
    ),
    "FrameOfReferenceUID missing in some slices": Case(
        build=lambda: change(axial(), [3, 7], FrameOfReferenceUID=None),
        rows=[ok(V0)],
        said="FrameOfReferenceUID is missing in 2 of 12 slices",
    ),
    "FrameOfReferenceUID missing in a second volume": Case(
        build=lambda: phases({}, {"FrameOfReferenceUID": None}), rows=[ok(V0), ok(V1)]
    ),
    "slices displaced in their plane": Case(
        build=lambda: [
            replace(im, position=(-50.0 + 7 * (i > 5), -60.0, 100.0 + 3 * i)) for i, im in enumerate(axial())
        ],
        rows=[in_plane("SHIFTED", V0)],
    ),
    "diffusion b-values": Case(
        build=lambda: alike(phases(*({"DiffusionBValue": float(b)} for b in (0, 400, 800)))),
        rows=[ok(V0), ok(V1), ok(V2)],
        forms=("MR", "enhanced MR"),
    ),
    "diffusion directions at one b-value": Case(
        build=lambda: alike(
            phases(
                *(
                    {"DiffusionBValue": 800.0, "DiffusionGradientOrientation": d}
                    for d in ([1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0])
                )
            )
        ),
        rows=[ok(V0), ok(V1), ok(V2)],
        forms=("MR", "enhanced MR"),
    ),
    "Dixon in/opp/water/fat by ImageType": Case(
        build=lambda: alike(
            phases(
                *({"ImageType": ["ORIGINAL", "PRIMARY", "M", kind]} for kind in ("IN_PHASE", "OUT_PHASE")),
                {"ImageType": ["DERIVED", "PRIMARY", "M", "WATER"]},
            )
        ),
        rows=[ok(V0), ok(V1), ok(V2)],
        said="derived image (ImageType DERIVED",
        forms=("MR", "enhanced MR"),
    ),
    "multi-echo": Case(
        build=lambda: alike(phases(*({"EchoTime": t} for t in (1.2, 2.4, 3.6)))),
        rows=[ok(V0), ok(V1), ok(V2)],
        forms=("MR", "enhanced MR"),
    ),
    "dual energy by KVP": Case(
        build=lambda: alike(phases({"KVP": 80.0}, {"KVP": 140.0})), rows=[ok(V0), ok(V1)], forms=("CT", "enhanced CT")
    ),
    "virtual monoenergetic images by keV": Case(
        build=lambda: alike(phases(*({"ImageType": ENERGY, "MonoenergeticEnergyEquivalent": e} for e in (40.0, 70.0)))),
        rows=[ok(V0), ok(V1)],
        forms=("CT", "enhanced CT"),
    ),
    "iodine map inside": Case(
        build=lambda: extra((-50.0, -60.0, 115.0), 500, ImageType=["DERIVED", "PRIMARY", "AXIAL", "MAT_SPECIFIC"]),
        rows=[ok(V0), refused("DERIVED", 1)],
        said="a map of materials",
        forms=("CT", "enhanced CT"),
    ),
    "virtual non-contrast inside": Case(
        build=lambda: extra((-50.0, -60.0, 115.0), 500, ImageType=["DERIVED", "PRIMARY", "AXIAL", "VNC"]),
        rows=[ok(V0), refused("DERIVED", 1)],
        forms=("CT", "enhanced CT"),
    ),
    "perfusion, one table position four times": Case(
        build=lambda: alike(
            [im for v in range(4) for im in timed(axial(4, phase=v, AcquisitionNumber=v + 1), 10 + 2 * v, 0.0)]
        ),
        rows=[ok(volume(v, 4)) for v in range(4)],
    ),
    "4DCT by percentage of the breath": Case(
        build=lambda: alike(phases(*({"NominalPercentageOfRespiratoryPhase": p} for p in (0.0, 50.0)))),
        rows=[ok(V0), ok(V1)],
        said="by the percentage of the heart or breathing cycle",
        forms=("CT", "enhanced CT"),
    ),
    "PET": Case(build=lambda: axial(Modality="PT"), rows=[refused("NOT_CT_OR_MR", 12)], said="a PET image"),
    "nuclear medicine": Case(build=lambda: axial(Modality="NM"), rows=[refused("NOT_CT_OR_MR", 12)]),
    "ultrasound": Case(build=lambda: axial(Modality="US"), rows=[refused("NOT_CT_OR_MR", 12)]),
    "concatenation in three files": Case(
        build=lambda: concatenation(1, 2, 3), rows=[ok(V0)], forms=("enhanced CT", "enhanced MR")
    ),
    "last file of a concatenation missing": Case(
        build=lambda: concatenation(1, 2),
        rows=[refused("MISSING_SLICES", 8)],
        said="part 3 of 3 of the concatenation is missing",
        forms=("enhanced CT", "enhanced MR"),
    ),
    "stacks of one enhanced file by StackID": Case(
        build=lambda: alike(phases({"StackID": "1"}, {"StackID": "2"})),
        rows=[ok(V0), ok(V1)],
        forms=("enhanced CT", "enhanced MR"),
    ),
    "frames in position-major order": Case(
        build=lambda: [im for pair in zip(*_two_times(), strict=True) for im in pair],
        rows=[ok(V0), ok(V1)],
        said="by TemporalPositionIdentifier",
    ),
    "frames in time-major order": Case(build=lambda: [im for one in _two_times() for im in one], rows=[ok(V0), ok(V1)]),
}


def _two_times() -> list[list[Image]]:
    return [axial(phase=v, TemporalPositionIdentifier=v + 1) for v in (0, 1)]


def concatenation(*parts: int) -> list[Image]:
    """Twelve frames in three files of four, of which the given ones are there."""
    tags = {"ConcatenationUID": f"{ROOT}.8", "InConcatenationTotalNumber": 3}
    return [
        replace(im, tags={**tags, "InConcatenationNumber": i // 4 + 1})
        for i, im in enumerate(axial())
        if i // 4 + 1 in parts
    ]


CASES = LISTED | BEYOND

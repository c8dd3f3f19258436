"""Who is in the sample study: six phantom subjects, their lesions at every visit, and what a reader would state.

Sizes stay clear of every cut-off by at least 2 mm and 4 percentage points, so that no measuring error of a fraction of a
pixel decides a category. docs/sample-data.md shows the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mrecist.samples.shapes import ALONG_X, FLAT, STEEP, Direction, Ellipsoid, Lesion, Point

BASELINE_DAYS = (0, 57, 113)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A lesion that is drawn at a visit. ``node`` marks a lymph node."""

    name: str
    lesion: Lesion
    node: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the reader states beside the masks: a row of ``reads/`` without diameters."""

    name: str
    role: str
    state: str
    organ: str = "liver"
    viable_mm: str = ""
    pattern: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit. Without an arterial phase, the masks are drawn on the portal venous series."""

    timepoint: int
    drawn: tuple[Drawn, ...]
    stated: tuple[Stated, ...] = ()
    arterial: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One phantom subject. Spacing is (between rows, between columns) in mm."""

    name: str
    arm: str
    baseline: date
    visits: tuple[Visit, ...]
    spacing_mm: tuple[float, float] = (1.5, 1.5)


def _oval(centre: Point, longest: float, short: float, along: Direction = ALONG_X) -> Ellipsoid:
    # As high as the longest diameter, but never so high that it leaves the stack.
    return Ellipsoid(centre=centre, longest_mm=longest, short_mm=short, height_mm=min(longest, 40.0), along=along)


def _rim(name: str, outline: Ellipsoid, core: float, offset_mm: float = 0.0) -> Drawn:
    return Drawn(name=name, lesion=Lesion(outline=outline, core=core, core_offset_mm=offset_mm))


def _solid(name: str, outline: Ellipsoid, *, node: bool = False) -> Drawn:
    return Drawn(name=name, lesion=Lesion(outline=outline), node=node)


def _nodule(name: str, outline: Ellipsoid, size: tuple[float, float], shift: tuple[float, float]) -> Drawn:
    x, y, z = outline.centre
    inner = Ellipsoid(
        centre=(x + shift[0], y + shift[1], z),
        longest_mm=size[0],
        short_mm=size[1],
        height_mm=min(size[0], outline.height_mm / 2),
        along=outline.along,
    )
    return Drawn(name=name, lesion=Lesion(outline=outline, nodule=inner))


def _present(name: str = "NT01", comment: str = "tumour thrombus in a portal vein branch") -> Stated:
    return Stated(name=name, role="non-target", state="present", comment=comment)


# Places in the liver (right lobe, dome, left lobe) and beside the aorta, on slice planes (multiples of 5 mm).
RIGHT: Point = (-88.0, -6.0, 0.0)
FRONT: Point = (-52.0, -42.0, 5.0)
BACK: Point = (-84.0, 34.0, -5.0)
LEFT: Point = (2.0, -52.0, 0.0)
NODE: Point = (-2.0, 4.0, 0.0)


def _subject_1() -> Subject:
    """Viable parts shrink inside lesions that hardly do: RECIST SD, mRECIST PR."""
    return Subject(
        name="SAMPLE-01",
        arm="A",
        baseline=date(2024, 1, 9),
        visits=(
            Visit(
                timepoint=0,
                drawn=(
                    _rim("T01", _oval(RIGHT, 54.0, 54.0), 0.40, 5.0),
                    _solid("T02", _oval(FRONT, 36.0, 30.0, STEEP)),
                ),
                stated=(_present(),),
            ),
            Visit(
                timepoint=1,
                drawn=(
                    _nodule("T01", _oval(RIGHT, 52.0, 44.0, FLAT), (26.0, 20.0), (-11.0, 0.0)),
                    _rim("T02", _oval(FRONT, 34.0, 29.0, STEEP), 0.72),
                ),
                stated=(_present(),),
            ),
            Visit(
                timepoint=2,
                drawn=(
                    _nodule("T01", _oval(RIGHT, 50.0, 42.0, FLAT), (21.0, 16.0), (-12.0, 0.0)),
                    _nodule("T02", _oval(FRONT, 33.0, 28.0, STEEP), (15.0, 13.0), (3.0, 4.0)),
                ),
                stated=(_present(),),
            ),
        ),
    )


def _subject_2() -> Subject:
    """Enhancement is lost, the necrotic shell stays: mRECIST CR, RECIST SD and then PR."""
    gone = Stated(
        name="T01", role="target", state="measured", viable_mm="0", comment="no arterial enhancement left, shell stays"
    )
    return Subject(
        name="SAMPLE-02",
        arm="A",
        baseline=date(2024, 1, 23),
        spacing_mm=(1.4, 1.6),
        visits=(
            Visit(timepoint=0, drawn=(_rim("T01", _oval(RIGHT, 46.0, 40.0, FLAT), 0.45),)),
            Visit(timepoint=1, drawn=(_rim("T01", _oval(RIGHT, 37.0, 33.0, FLAT), 1.0),), stated=(gone,)),
            Visit(timepoint=2, drawn=(_rim("T01", _oval(RIGHT, 29.0, 26.0, FLAT), 1.0),), stated=(gone,)),
        ),
    )


def _subject_3() -> Subject:
    """Everything goes, the node becomes normal: PR and then CR by both criteria."""
    return Subject(
        name="SAMPLE-03",
        arm="B",
        baseline=date(2024, 2, 6),
        visits=(
            Visit(
                timepoint=0,
                drawn=(
                    _solid("T01", _oval(RIGHT, 30.0, 26.0, STEEP)),
                    _solid("T02", _oval(NODE, 31.0, 22.0, FLAT), node=True),
                ),
                stated=(_present(comment="small satellite nodules"),),
            ),
            Visit(
                timepoint=1,
                drawn=(
                    _rim("T01", _oval(RIGHT, 19.0, 15.0, FLAT), 0.45),
                    _solid("T02", _oval(NODE, 22.0, 14.0, FLAT), node=True),
                ),
                stated=(_present(comment="small satellite nodules"),),
            ),
            Visit(
                timepoint=2,
                drawn=(_solid("T02", _oval(NODE, 11.0, 7.5, FLAT), node=True),),
                stated=(
                    Stated(name="T01", role="target", state="absent"),
                    Stated(name="NT01", role="non-target", state="absent"),
                ),
            ),
        ),
    )


def _subject_4() -> Subject:
    """Stable, then growth: SD and then PD by both criteria."""
    sizes = ((32.0, 27.0, 24.0, 20.0), (31.0, 26.0, 25.0, 20.0), (43.0, 36.0, 34.0, 28.0))
    return Subject(
        name="SAMPLE-04",
        arm="B",
        baseline=date(2024, 2, 20),
        visits=tuple(
            Visit(
                timepoint=index,
                drawn=(
                    _rim("T01", _oval(BACK, a, b, FLAT), 0.50),
                    _solid("T02", _oval(LEFT, c, d, STEEP)),
                ),
                stated=(_present(),),
            )
            for index, (a, b, c, d) in enumerate(sizes)
        ),
    )


def _subject_5() -> Subject:
    """A visit is missing, then the target shrinks but a typical new nodule appears: PD by both criteria."""
    new = Stated(
        name="NEW01", role="new", state="unequivocal", pattern="typical", comment="washout on the portal phase"
    )
    return Subject(
        name="SAMPLE-05",
        arm="A",
        baseline=date(2024, 3, 5),
        spacing_mm=(1.6, 1.45),
        visits=(
            Visit(timepoint=0, drawn=(_rim("T01", _oval(RIGHT, 48.0, 44.0, STEEP), 0.35),)),
            Visit(
                timepoint=2,
                drawn=(
                    _rim("T01", _oval(RIGHT, 30.0, 27.0, STEEP), 0.50),
                    _solid("NEW01", _oval(LEFT, 19.0, 15.0, FLAT)),
                ),
                stated=(new,),
            ),
        ),
    )


def _subject_6() -> Subject:
    """No arterial phase, then an artefact over a target: what cannot be judged is NE, not a guess."""
    artefact = Stated(name="T02", role="target", state="not-evaluable", comment="motion artefact over segment 4")
    return Subject(
        name="SAMPLE-06",
        arm="B",
        baseline=date(2024, 3, 19),
        visits=(
            Visit(
                timepoint=0,
                drawn=(_rim("T01", _oval(BACK, 38.0, 34.0), 0.45), _solid("T02", _oval(FRONT, 27.0, 24.0, FLAT))),
            ),
            Visit(
                timepoint=1,
                drawn=(_rim("T01", _oval(BACK, 36.0, 32.0), 0.45), _solid("T02", _oval(FRONT, 26.0, 23.0, FLAT))),
                arterial=False,
            ),
            Visit(timepoint=2, drawn=(_rim("T01", _oval(BACK, 34.0, 31.0), 0.45),), stated=(artefact,)),
        ),
    )


def all_subjects() -> tuple[Subject, ...]:
    """The sample study."""
    return (_subject_1(), _subject_2(), _subject_3(), _subject_4(), _subject_5(), _subject_6())

"""What of the plugin needs no screen: contours between slices, keys, phases, the manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mrecist.errors import MaskError
from mrecist.imaging.phase import PhaseName
from mrecist.segment.interpolate import between_slices
from mrecist.session.case import open_case
from mrecist.study import open_study
from mrecist_napari import keys
from mrecist_napari.keys import KEYS
from mrecist_napari.phases import flicked_to, of_phase

ROOT = Path(__file__).parents[2]
# The keys of napari's layers (Labels, Shapes, Image), which would win over ours: design of napari 0.9. M is one of Labels alone,
# and what is drawn is in layers of vectors and points.
OF_LAYERS = set("1234567EPFLZXBV-=[]RTDSIAYOC")


def disc(radius: float, column: float = 30.0) -> np.ndarray:
    y, x = np.mgrid[:61, :61]
    return np.asarray(np.hypot(y - 30, x - column) <= radius)


def test_a_cone_between_two_discs_has_the_mean_radius() -> None:
    """Closed form: concentric discs of 10 and 20 px, so the slice halfway is a disc of 15 px."""
    mask = np.zeros((7, 61, 61), dtype=bool)
    mask[1], mask[5] = disc(10), disc(20)
    filled = between_slices(mask, (0.8, 0.8))
    assert np.sqrt(filled[3].sum() / np.pi) == pytest.approx(15, abs=0.5)
    assert np.array_equal(filled[1], mask[1])
    assert np.array_equal(filled[5], mask[5])
    assert not filled[0].any()
    assert not filled[6].any()
    areas = [int(one.sum()) for one in filled[1:6]]
    assert areas == sorted(areas)


def test_one_outline_is_not_carried_anywhere() -> None:
    mask = np.zeros((3, 61, 61), dtype=bool)
    mask[1] = disc(5)
    with pytest.raises(MaskError, match="two slices"):
        between_slices(mask, (1, 1))


def test_keys_of_layers_are_bound_on_layers_too_and_none_is_bound_twice() -> None:
    """Trap 3: what a layer uses itself must be taken from it (a test on a screen presses one with a layer selected)."""
    bound = [one.key for one in KEYS]
    assert len(bound) == len(set(bound))
    # P and the digits fire because no layer is selected while one reads; the window's tests press them.
    assert OF_LAYERS & set(bound) == {*keys.OF_LAYERS, "P", "1", "2", "3", "4", "5"}


def test_every_key_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "reading-room.md").read_text(encoding="utf-8")
    assert [one.shown for one in KEYS if f"| `{one.shown}` | {one.does} |" not in page] == []


def test_the_manifest_binds_no_keys() -> None:
    """Trap 4: key bindings of a manifest never fire."""
    manifest = (ROOT / "plugins/mrecist_napari/napari.yaml").read_text(encoding="utf-8")
    assert "keybindings" not in manifest


def test_flicking_goes_to_the_portal_venous_phase_and_back() -> None:
    visit = open_case(open_study(ROOT / "sample_data/study"), "SAMPLE-01").visits[0]
    arterial, portal = of_phase(visit, PhaseName.ARTERIAL), of_phase(visit, PhaseName.PORTAL_VENOUS)
    assert arterial is not None
    assert portal is not None
    assert flicked_to(visit, arterial) == portal
    assert flicked_to(visit, portal) == arterial

"""The twelve traps of napari 0.9 that cost a reader a slice, a mask or the session, each with the test that keeps us out of it."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from odd_series import BALL, BALL_HU, odd_study

from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_volume

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "plugins" / "mrecist_napari").rglob("*.py"))

# Traps whose test needs the window of another file, or its table.
ELSEWHERE = {
    2: ("test_on_screen.py", "test_a_right_drag_windows_and_paints_nothing"),
    3: ("test_without_screen.py", "test_keys_of_layers_are_bound_on_layers_too_and_none_is_bound_twice"),
    4: ("test_without_screen.py", "test_the_manifest_binds_no_keys"),
}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Series]:
    """The series of the odd study by their number."""
    folder = odd_study(tmp_path_factory.mktemp("odd"))
    return {int(one.uid.rpartition(".")[2]): one for one in scan_folder(folder).series}


def shown(*series: Series) -> Any:
    """A pane without a window with these series, the first one shown."""
    from napari.components import ViewerModel

    from mrecist_napari.pane import Pane, picture_of

    pane = Pane(ViewerModel())
    for one in series:
        pane.add(one, picture_of(one, load_volume(one)))
    pane.show(series[0])
    return pane


@pytest.mark.parametrize("trap", sorted(ELSEWHERE))
def test_trap_2_3_4_are_tested_elsewhere(trap: int) -> None:
    file, name = ELSEWHERE[trap]
    assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_trap_1_every_slice_is_reachable() -> None:
    """Many steps and counts, at the origins where napari loses the last slice."""
    from napari.components import ViewerModel

    from mrecist_napari.pane import Pane

    lost = []
    for step, count, origin in product((0.6, 0.7, 0.8, 2.5, 3.27), (11, 50, 87), (0.0, -312.5)):
        model = ViewerModel()
        pane = Pane(model)  # held: napari keeps callbacks weakly
        model.add_image(np.zeros((count, 4, 4), np.uint8), scale=(step, 1, 1), translate=(origin, 0, 0))
        if pane.viewer.dims.nsteps[0] != count:
            lost.append((step, count, origin, model.dims.nsteps[0]))
    assert lost == []


def test_trap_5_nothing_raises_when_the_layers_go_before_the_pane(series: dict[int, Series]) -> None:
    pane = shown(series[1], series[2])
    pane.viewer.layers.clear()
    assert pane.viewer.dims.ndim == 2
    pane.viewer.dims.set_point(0, 1.0)
    pane.clear()
    assert pane.series is None


def test_trap_6_no_layer_is_turned_or_sheared_and_a_tilted_ball_is_where_it_is(series: dict[int, Series]) -> None:
    """napari shows a layer with an affine out of the plane as if it had none; so no layer has one, and LPS tells where things are."""
    from mrecist_napari.grid import nearest_index

    for number in (4, 6, 3, 5):
        one = series[number]
        pane = shown(one)
        layer = pane.image()
        assert np.allclose(layer.affine.affine_matrix, np.eye(4))
        assert np.allclose(layer.rotate, np.eye(3))
        assert np.allclose(layer.shear, 0)
        z, y, x = nearest_index(one.geometry, BALL)
        assert layer.data[round(z), round(y), round(x)] == BALL_HU
        pane.go_to(BALL)
        assert layer.get_value(pane.grid.to_world((z, y, x)), world=True) == BALL_HU


def test_trap_7_a_step_is_a_slice_of_the_series_that_is_shown(series: dict[int, Series]) -> None:
    """Slices every 2.5 mm and every 4 mm in one viewer, which napari would step through at 2.5 mm."""
    thin, thick = series[1], series[2]
    pane = shown(thin, thick)
    for one, count in ((thin, 32), (thick, 10), (thin, 32)):
        pane.show(one)
        assert pane.viewer.dims.nsteps[0] == count
        seen = []
        for step in range(count):
            pane.viewer.dims.set_current_step(0, step)
            seen.append(pane.slice_index)
        assert seen == list(range(count))


@pytest.mark.parametrize("platform", [None, "offscreen"])
def test_trap_8_without_a_screen_is_one_line_and_no_abort(platform: str | None) -> None:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    env = kept | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "plugins"), kept.get("PYTHONPATH", "")))}
    if platform:
        env["QT_QPA_PLATFORM"] = platform
    command = [sys.executable, "-m", "mrecist", "read", str(ROOT / "sample_data/study"), "SAMPLE-01", "--reader", "R9"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1
    assert "screen" in lines[0]


def test_trap_9_only_names_of_napari_0_9() -> None:
    """``viewer.camera``, ``viewer.grid`` and the like moved below ``scene`` and ``canvas``."""
    old = re.compile(r"\b(viewer|model)\.(camera|grid|scale_bar|text_overlay|axes|overlays)\b")
    assert [f"{p.name}: {hit.group()}" for p in SOURCES for hit in old.finditer(p.read_text(encoding="utf-8"))] == []


def test_trap_10_nothing_private_of_napari() -> None:
    private = re.compile(r"\._qt_(viewer|window)\b|\bnapari\._|\bfrom napari\._")
    assert [
        f"{p.name}: {hit.group()}" for p in SOURCES for hit in private.finditer(p.read_text(encoding="utf-8"))
    ] == []


def test_trap_11_the_widget_is_a_class_that_gets_the_viewer() -> None:
    from mrecist_napari.opening import OpenReadingRoom

    manifest = (ROOT / "plugins/mrecist_napari/napari.yaml").read_text(encoding="utf-8")
    assert "mrecist_napari.opening:OpenReadingRoom" in manifest
    assert inspect.isclass(OpenReadingRoom)
    assert inspect.signature(OpenReadingRoom.__init__).parameters["viewer"].annotation == "napari.viewer.Viewer"


def test_trap_12_every_layer_has_millimetres(series: dict[int, Series]) -> None:
    """One layer without units takes them from the whole scene, and the scale bar with them."""
    bare = [
        f"{path.name}: {ast.unparse(call)[:60]}"
        for path in SOURCES
        for call in layers_added(path)
        if not has_units(call)
    ]
    assert bare == []
    assert {str(unit) for unit in shown(series[1]).image().units} == {"millimeter"}


def layers_added(path: Path) -> Iterator[ast.Call]:
    """Calls that add a layer."""
    kinds = ("add_image", "add_labels", "add_shapes", "add_points", "add_vectors", "add_surface", "add_tracks")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in kinds:
            yield node


def has_units(call: ast.Call) -> bool:
    """Units are given, or the place of a series, which has them."""
    return any(
        word.arg == "units" or (word.arg is None and re.search(r"place\(", ast.unparse(word.value)))
        for word in call.keywords
    )

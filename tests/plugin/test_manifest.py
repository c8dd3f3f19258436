"""The plugin as napari meets it: the manifest, and every command that it names. No screen is needed."""

from __future__ import annotations

import inspect
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npe2 import PluginManager, PluginManifest
from npe2.io_utils import read as npe2_read
from npe2.io_utils import write as npe2_write

from mrecist.errors import MaskError, SeriesError
from mrecist.imaging.masks import read_segmentation
from mrecist.imaging.scan import scan_folder
from mrecist_napari.files import get_reader, get_segmentation_reader, read_segmentation_file, sample, sample_pair
from mrecist_napari.grid import grid_of
from mrecist_napari.settings import Settings, hint_done, settings
from mrecist_napari.windows import PRESETS
from mrecist_napari.writing import write_labels

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "plugins/mrecist_napari/napari.yaml"
STUDY = ROOT / "sample_data" / "study"
IMAGES = STUDY / "images" / "SAMPLE-01" / "0"
SEGMENTATION = sorted((STUDY / "masks").rglob("*.dcm"))[0]
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


@pytest.fixture
def manager(manifest: PluginManifest, monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """The plugin manager of this process for a while: it knows this plugin and napari's own readers and writers only."""
    made = PluginManager()
    made.register(manifest)
    made.register(PluginManifest.from_distribution("napari"))
    monkeypatch.setattr(PluginManager, "instance", lambda: made)
    made.activate("mrecist")
    return made


def test_the_manifest_is_valid_and_every_python_name_is_there(manifest: PluginManifest) -> None:
    """``npe2 validate --imports`` does the first two; a command that nothing contributes would be dead."""
    manifest.validate_imports()
    for command in manifest.contributions.commands or ():
        module, name = str(command.python_name).split(":")
        assert callable(getattr(import_module(module), name))
    contributed = {
        one.command
        for kind in ("widgets", "readers", "writers", "sample_data")
        for one in getattr(manifest.contributions, kind) or ()
    }
    assert contributed == {command.id for command in manifest.contributions.commands or ()}


def test_menus_are_ones_that_napari_opens_to_plugins(manifest: PluginManifest) -> None:
    from napari._app_model.constants._menus import is_menu_contributable

    menus = manifest.contributions.menus
    assert menus
    assert [name for name in menus if not is_menu_contributable(name)] == []


def test_the_widget_is_a_class_that_takes_the_viewer() -> None:
    """Trap 11: a bare function may be given no viewer."""
    from mrecist_napari.opening import OpenReadingRoom

    assert inspect.isclass(OpenReadingRoom)
    assert "viewer" in inspect.signature(OpenReadingRoom.__init__).parameters


def test_other_readers_keep_their_files(manager: PluginManager, tmp_path: Path) -> None:
    for name in ("a.tif", "a.png", "a.npy", "a.csv", "a.nii.gz", "a.dcm.png"):
        readers = {reader.plugin_name for reader in manager.iter_compatible_readers(str(tmp_path / name))}
        assert "mrecist" not in readers, name
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    assert get_reader(str(stack)) is None
    assert get_reader(str(tmp_path / "nowhere")) is None
    assert get_reader([str(IMAGES)]) is None
    assert get_segmentation_reader(str(stack / "1.png")) is None
    assert get_segmentation_reader(str(next(IMAGES.rglob("*.dcm")))) is None  # an image: its folder is opened


@pytest.mark.usefixtures("manager")
def test_a_folder_becomes_image_layers_in_millimetres() -> None:
    layers = npe2_read([str(IMAGES)], stack=False, plugin_name="mrecist")
    series = {one.uid: one for one in scan_folder(IMAGES).series}
    assert {kind for _, _, kind in layers} == {"image"}
    assert {given["metadata"]["series_uid"] for _, given, _ in layers} == series.keys()
    for data, given, _ in layers:
        one = series[given["metadata"]["series_uid"]]
        geometry = one.geometry
        assert geometry is not None
        assert data.shape == geometry.shape
        # Axial slices: the world point of a voxel is its LPS point, axes in the order z, y, x.
        index = np.array([3, 20, 30])
        world = index * given["scale"] + given["translate"]
        assert np.allclose(world[::-1], geometry.to_lps(3, 20.0, 30.0))
        assert (given["units"], given["axis_labels"]) == (("mm",) * 3, ("z", "y", "x"))


def test_a_folder_of_refused_series_says_why(tmp_path: Path) -> None:
    files = sorted((IMAGES / "arterial").glob("*.dcm"))
    for path in (*files[:3], *files[5:]):
        shutil.copy(path, tmp_path)
    reader = get_reader(str(tmp_path))
    assert reader is not None
    with pytest.raises(SeriesError, match=r"no series that can be shown; LIVER ARTERIAL 5\.0: "):
        reader(str(tmp_path))


@pytest.mark.usefixtures("manager")
def test_a_segmentation_becomes_labels_on_the_grid_of_its_images() -> None:
    layers = npe2_read([str(SEGMENTATION)], stack=False, plugin_name="mrecist")
    series = scan_folder(STUDY / "images").series
    masks = read_segmentation(SEGMENTATION, series).masks
    whole, viable = layers
    grid = grid_of(masks[0].geometry)
    for data, given, kind in layers:
        assert kind == "labels"
        assert (given["scale"], given["translate"]) == (grid.scale, grid.translate)
        assert data.shape == masks[0].geometry.shape
    for number, mask in enumerate(masks, 1):
        assert np.array_equal(whole[0] == number, mask.whole)
        assert np.array_equal(viable[0] == number, mask.viable)
        assert whole[1]["metadata"]["lesions"][number] == mask.lesion


def test_a_segmentation_beside_its_images_and_one_without_them(tmp_path: Path) -> None:
    alone = Path(shutil.copy(SEGMENTATION, tmp_path / "alone.dcm"))
    with pytest.raises(MaskError, match="the images that it was drawn on are not beside it"):
        read_segmentation_file(alone)
    shutil.copytree(IMAGES / "arterial", tmp_path / "arterial")
    assert len(read_segmentation_file(alone)) == 2
    reader = get_reader(str(tmp_path))
    assert reader is not None
    assert [kind for _, _, kind in reader(str(tmp_path))] == ["image", "labels", "labels"]


@pytest.mark.usefixtures("manager")
def test_labels_that_are_written_come_back_as_they_were(tmp_path: Path) -> None:
    layers = [layer for layer in sample() if layer[2] == "labels"]
    path = str(tmp_path / "lesions.dcm")
    assert npe2_write(path, layers, plugin_name="mrecist") == [path]
    series = scan_folder(IMAGES).series
    before = read_segmentation(SEGMENTATION, series).masks
    after = read_segmentation(Path(path), series).masks
    assert [(m.lesion, m.tracking_uid, m.organ, m.kind, m.reader) for m in after] == [
        (m.lesion, m.tracking_uid, m.organ, m.kind, m.reader) for m in before
    ]
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one.whole, other.whole)
        assert one.viable is not None
        assert np.array_equal(one.viable, other.viable)


def test_new_labels_need_the_image_that_they_were_drawn_on(tmp_path: Path) -> None:
    image = sample()[0]
    data = np.zeros(image[0].shape, dtype=np.int32)
    data[4:6, 40:50, 60:75] = 3
    drawn: Any = (data, {"name": "Labels", "scale": image[1]["scale"], "translate": image[1]["translate"]}, "labels")
    path = tmp_path / "new.dcm"
    with pytest.raises(MaskError, match=r"'Labels' does not come from DICOM: .*select the image layer"):
        write_labels(str(path), [drawn])
    assert not path.exists()
    write_labels(str(path), [drawn, image])
    (mask,) = read_segmentation(path, scan_folder(IMAGES).series).masks
    assert (mask.lesion, mask.viable, mask.reader) == ("L03", None, "R1")
    assert np.array_equal(mask.whole, data == 3)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scale": (5.0, 1.5, 1.4)}, "its scale is 5 x 1.5 x 1.4 mm, that of series .* is 5 x 1.5 x 1.5 mm"),
        ({"translate": (-25.0, -119.25, -160.0)}, "its translate is "),
        ({"affine": np.diag([1.0, 1, -1, 1])}, "is turned or moved"),
    ],
)
def test_labels_on_another_grid_are_refused(change: dict[str, Any], why: str, tmp_path: Path) -> None:
    data, given, kind = next(layer for layer in sample() if layer[2] == "labels")
    with pytest.raises(MaskError, match=why):
        write_labels(str(tmp_path / "x.dcm"), [(data, given | change, kind)])
    with pytest.raises(MaskError, match="draw on a layer of its grid"):
        write_labels(str(tmp_path / "x.dcm"), [(data[1:], given, kind)])
    assert list(tmp_path.iterdir()) == []


def test_labels_that_cannot_be_lesions_are_refused(tmp_path: Path) -> None:
    whole, viable = [layer for layer in sample() if layer[2] == "labels"]
    path = str(tmp_path / "x.dcm")
    with pytest.raises(MaskError, match="holds viable parts only"):
        write_labels(path, [viable])
    with pytest.raises(MaskError, match="holds no label"):
        write_labels(path, [(np.zeros_like(whole[0]), *whole[1:])])
    with pytest.raises(MaskError, match="the label 9, which no whole lesion has"):
        write_labels(path, [whole, (np.where(viable[0] == 1, 9, viable[0]), *viable[1:])])
    gone = whole[1] | {"metadata": whole[1]["metadata"] | {"paths": (str(tmp_path / "gone.dcm"),)}}
    with pytest.raises(MaskError, match="its files are not where they were read"):
        write_labels(path, [(whole[0], gone, "labels")])


def test_sample_data(manager: PluginManager) -> None:
    contributed = dict(manager.iter_sample_data())["mrecist"]
    assert {one.key for one in contributed} == {"baseline", "pair"}
    for one in contributed:
        assert one.open()
    assert [kind for _, _, kind in sample()] == ["image", "image", "labels", "labels"]
    names = [given["name"] for _, given, _ in sample_pair()]
    assert len(set(names)) == len(names) == 6
    assert [name[:10] for name in names[:2]] == ["2024-01-09", "2024-03-06"]


def test_the_settings_of_the_manifest_are_those_that_are_read(
    manifest: PluginManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.settings._plugin_config_generator import plugin_configuration_generator

    manager = PluginManager()
    manager.register(manifest)
    made = plugin_configuration_generator(manager)["mrecist"](config_path=None)
    monkeypatch.setattr("napari.settings.get_plugin_settings", lambda: {"mrecist": made})
    assert settings() == Settings(hints=frozenset({"line", "accept", "keys"}))
    made.reading.reader, made.reading.window, made.reading.prior_side = "AB", "lung", "right"
    hint_done("line")
    lung = next(preset for preset in PRESETS if preset.name == "lung")
    assert settings() == Settings("AB", lung, "right", frozenset({"accept", "keys"}))
    reading = manifest.contributions.configurations["reading"].properties
    assert list(reading["window"].enum or ()) == [preset.name for preset in PRESETS]
    monkeypatch.setattr("napari.settings.get_plugin_settings", dict)
    assert settings() == Settings()

"""A viewer as it was before a read was shown in it, so that the next read, or napari itself, finds it so."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject

_MOUSE = ("mouse_drag_callbacks", "mouse_wheel_callbacks", "mouse_move_callbacks", "mouse_double_click_callbacks")
_OWN = "mrecist_napari"


class Untouched:
    """Remembers a viewer when it is made; :meth:`restore` takes away what came since: docks, keys, mouse, callbacks, texts.

    Parameters
    ----------
    viewer : a napari Viewer.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._docks = set(viewer.window.dock_widgets)
        self._keys = dict(viewer.keymap)
        self._mouse = {name: list(getattr(viewer, name)) for name in _MOUSE}
        self._overlays = set(viewer.canvas.overlays)
        self._bar = viewer.canvas.overlays.scale_bar.visible
        self._callbacks = [(emitter, set(emitter.callbacks)) for emitter in self._emitters()]

    def _emitters(self) -> list[Any]:
        dims, layers = self._viewer.dims.events, self._viewer.layers.events
        camera = self._viewer.scene.camera.events
        groups = (dims, layers, camera)
        return [*groups, *(group[name] for group in groups for name in group.emitters)]

    def restore(self, main: QObject) -> None:
        """Take away what came since; ``main`` is the window, whose event filters of this plugin end too."""
        for emitter, before in self._callbacks:
            for callback in emitter.callbacks:
                if callback not in before:
                    emitter.disconnect(callback)
        for name, before in self._mouse.items():
            getattr(self._viewer, name)[:] = before
        self._viewer.keymap.clear()
        self._viewer.keymap.update(self._keys)
        for child in main.children():
            if type(child).__module__.startswith(_OWN):
                main.removeEventFilter(child)
                child.setParent(None)
                child.deleteLater()
        docked = dict(self._viewer.window.dock_widgets)
        for name in docked.keys() - self._docks:
            self._viewer.window.remove_dock_widget(docked[name])
            docked[name].close()
            docked[name].deleteLater()
        self._viewer.layers.clear()
        for name in set(self._viewer.canvas.overlays) - self._overlays:
            del self._viewer.canvas.overlays[name]
        self._viewer.canvas.overlays.scale_bar.visible = self._bar

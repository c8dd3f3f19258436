"""The reader's own settings: napari keeps them (Preferences, mrecist); the manifest says what there is. Read here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mrecist_napari.windows import PRESETS, Window

PLUGIN = "mrecist"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a reader has chosen; the defaults are those of the manifest."""

    reader: str = "R1"
    window: Window = PRESETS[0]
    prior_side: str = "left"
    hints: frozenset[str] = frozenset()
    """Names of the hints that are still to be shown."""


def settings() -> Settings:
    """The settings as they are now; the defaults where napari does not know the plugin (a checkout that is not installed)."""
    kept = _kept()
    if kept is None:
        return Settings()
    reading, first_steps = kept.reading, kept.first_steps
    named = {preset.name: preset for preset in PRESETS}
    return Settings(
        reader=reading.reader.strip() or Settings.reader,
        window=named.get(reading.window, PRESETS[0]),
        prior_side=reading.prior_side,
        hints=frozenset(name for name in type(first_steps).model_fields if getattr(first_steps, name)),
    )


def hint_done(name: str) -> None:
    """A hint that is not shown again, until the reader asks for it in the preferences."""
    kept = _kept()
    if kept is not None:
        setattr(kept.first_steps, name, False)


def _kept() -> Any:
    from napari.settings import get_plugin_settings

    return get_plugin_settings().get(PLUGIN)

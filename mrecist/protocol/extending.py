"""One protocol file over another: ``extends = "base.toml"``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mrecist.errors import ProtocolError


def read_whole(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a protocol file over that of the file it extends, and a text that reads back to the same content.

    Tables are joined key by key, endpoints by their ``id``, other lists are taken whole.

    Raises :class:`ProtocolError` for a file that cannot be read, or that extends itself.
    """
    content, text = _read(path, ())
    if "extends" not in parsed(text, path):
        return content, text
    import tomli_w

    return content, tomli_w.dumps(content)


def _read(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{path}: is not valid TOML ({error}); mend that line") from None
    content = parsed(text, path)
    base = content.pop("extends", None)
    if base is None:
        return content, text
    if not isinstance(base, str) or not base:
        raise ProtocolError(
            f"{path}: extends is {base!r}; it takes the path of another protocol, from this file's folder"
        )
    below = path.parent / base
    if below.resolve() in {one.resolve() for one in (*above, path)}:
        raise ProtocolError(f"{path}: extends {base}, which extends it; one of them has to stand alone")
    return _over(_read(below, (*above, path))[0], content), text


def parsed(text: str, path: Path | str) -> dict[str, Any]:
    """TOML as values; raises :class:`ProtocolError` in the name of ``path``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(f"{path}: is not valid TOML ({error}); mend that line") from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(below)
    for key, value in above.items():
        there = below.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            joined[key] = _over(there, value)
        elif key == "endpoint" and isinstance(value, list) and isinstance(there, list):
            joined[key] = _endpoints(there, value)
        else:
            joined[key] = value
    return joined


def _endpoints(below: list[Any], above: list[Any]) -> list[Any]:
    """Endpoints of the same id are joined; one of another kind takes the place of the one below whole."""
    joined = list(below)
    ids = {one.get("id"): place for place, one in enumerate(below) if isinstance(one, dict)}
    for one in above:
        place = ids.get(one.get("id")) if isinstance(one, dict) else None
        if place is None:
            joined.append(one)
        else:
            same = one.get("kind", below[place].get("kind")) == below[place].get("kind")
            joined[place] = _over(below[place], one) if same else one
    return joined

"""Sections of a protocol: only known keys, each with a value that can be."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mrecist.errors import ProtocolError
from mrecist.protocol.values import Reader


def only_known(section: Mapping[str, Any], known: set[str], where: str, name: str) -> None:
    for key in section:
        if key not in known:
            near = get_close_matches(key, sorted(known), n=1, cutoff=0.0)
            place = f"{name}.{key}" if name else key
            raise ProtocolError(f"{where}: unknown key '{place}'; did you mean '{near[0]}'?")


def section_of(content: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    section = content.get(name, {})
    if not isinstance(section, dict):
        raise ProtocolError(f"{where}: '{name}' is {section!r}, not a table; write it as [{name}] with keys below")
    return section


def take(section: Mapping[str, Any], key: str, read: Reader, where: str) -> Any:
    if key not in section:
        return None
    try:
        return read(section[key])
    except ValueError as error:
        raise ProtocolError(f"{where}: {key} is {section[key]!r}; it takes {error}") from None


def values_of(section: Mapping[str, Any], readers: dict[str, Reader], where: str, name: str) -> dict[str, Any]:
    only_known(section, set(readers), where.split(" [")[0], name)
    return {key: take(section, key, readers[key], where) for key in section}

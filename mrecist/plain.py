"""Typed values to plain JSON values and back, for what is kept on disk (checkpoints, a reader's journal).

Numbers of the read are decimals and stay exact: they are written as text.
"""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from cattrs import Converter

Value = TypeVar("Value")


def to_plain(value: Any) -> Any:
    """Dataclasses, enumerations, decimals, dates and bytes as what ``json.dumps`` takes."""
    return _converter().unstructure(value)


def from_plain(plain: Any, kind: type[Value]) -> Value:
    """A value of type ``kind`` from :func:`to_plain`'s form; raises ValueError where it does not fit."""
    try:
        return _converter().structure(plain, kind)
    except Exception as error:  # noqa: BLE001 - whatever does not fit is one error for the caller
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        raise ValueError(f"is no {kind.__name__}: {type(cause).__name__} {cause}") from None


@cache
def _converter() -> Converter:
    from cattrs.preconf.json import make_converter

    converter = make_converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(bytes, lambda data: base64.b64encode(data).decode("ascii"))
    converter.register_structure_hook(bytes, lambda text, _: base64.b64decode(text))
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    return converter

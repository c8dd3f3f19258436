"""CSV files: UTF-8, comma, header row, empty cell = not given. Reading is strict; writing is whole or not at all."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mrecist.errors import InputError
from mrecist.units import show

# A cell that a spreadsheet would run as a formula (``=cmd|...`` as a PatientID) is written with an apostrophe before it, and
# read without; signed numbers are no formulas. Apostrophes before it count in, so that every text comes back as it was.
_STARTS_A_FORMULA = frozenset("=@+-'")
_FORMULA = re.compile(r"'*(?:[=@]|[+-](?!\d*\.?\d*$))")


def read_rows(path: Path, required: Sequence[str]) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and (line number, cells) of a CSV file; raises :class:`InputError` when it is no table with those columns."""
    header, lines = stream_rows(path, required)
    return header, list(lines)


def stream_rows(path: Path, required: Sequence[str]) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """As :func:`read_rows`, one row at a time: what is wrong with a line is raised when it is reached."""
    reader, header = _open_table(path, required)

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
        try:
            yield from _cells(path, header, reader)
        except csv.Error as error:
            raise _not_csv(path, reader, error) from None

    return header, rows()


def _open_table(path: Path, required: Sequence[str]) -> tuple[Any, list[str]]:
    """A reader of the rows below the header, and the header."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # read_text would turn a CR inside a cell into a line feed
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line} is not UTF-8 (byte {error.start}); save the table as CSV UTF-8"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise _not_csv(path, reader, error) from None
    if not header:
        raise InputError(f"{path}: is empty; a header row with {', '.join(required)} is needed")
    _check_header(path, header, required)
    return reader, header


def _not_csv(path: Path, reader: Any, error: csv.Error) -> InputError:
    return InputError(f"{path}: line {reader.line_num} is not valid CSV ({error}); mend the quotes")


def read_column(path: Path, name: str) -> list[str]:
    """One column of a CSV file, faster than all of it; raises as :func:`read_rows`."""
    reader, header = _open_table(path, (name,))
    place = header.index(name)
    try:
        return [_plain(cells[place]).strip() for cells in reader if len(cells) > place]
    except csv.Error as error:
        raise _not_csv(path, reader, error) from None


def _check_header(path: Path, header: list[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in header]
    separator = next((s for s in (";", "\t") if len(header) == 1 and s in header[0]), None)
    if missing and separator is not None:
        word = "tabs" if separator == "\t" else f"'{separator}'"
        raise InputError(f"{path}: its columns are separated by {word} and not by ','; save it as CSV with commas")
    if missing:
        hints = []
        # A column that is asked for itself is no misspelling of another one.
        others = {h.casefold(): h for h in header if h not in required}
        for name in missing:
            near = get_close_matches(name, others, n=1)
            hints.append(f"'{name}'" + (f" (there is '{others[near[0]]}')" if near else ""))
        raise InputError(f"{path}: no column {', '.join(hints)}; the header is: {', '.join(header)}")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {', '.join(twice)} appears twice; keep one")


def _cells(path: Path, header: list[str], reader: Any) -> Iterable[tuple[int, dict[str, str]]]:
    for values in reader:
        joined = "".join(values)
        if not joined.strip():
            continue
        if len(values) != len(header):
            raise InputError(
                f"{path}: line {reader.line_num} has {len(values)} cells and the header {len(header)}; mend that line"
            )
        if "'" in joined:
            values = [_plain(value) for value in values]
        yield reader.line_num, dict(zip(header, map(str.strip, values), strict=True))


def _plain(value: str) -> str:
    return value[1:] if value[:1] == "'" and _FORMULA.match(value) else value


def write_whole(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its place only when complete.

    Parts of a text are written as they come, so that a large table never lies in memory. What is no file (a device such as
    /dev/null, a pipe) is written to, never replaced; a link keeps pointing where it points.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [content] if isinstance(content, str | bytes) else content
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            device.writelines(map(_encoded, parts))
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(map(_encoded, parts))
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _encoded(part: str | bytes) -> bytes:
    # File names that are not UTF-8 are lone surrogates in Python; they become escapes, as in JSON.
    return part.encode("utf-8", "backslashreplace") if isinstance(part, str) else part


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A CSV table as text; None is an empty cell, tuples are joined by semicolons, decimals are plain."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return buffer.getvalue()


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run the cell, or it would read back as another text if it were written as it is."""
    return text[:1] in _STARTS_A_FORMULA and _FORMULA.match(text) is not None


def _cell(value: Any) -> str:
    if type(value) is str:
        return f"'{value}" if is_formula(value) else value
    return cell_text(value)


def cell_text(value: Any) -> str:
    """A value as the text of a cell, as it reads back."""
    if value is None:
        return ""
    if type(value) is str:
        return value
    if isinstance(value, Decimal):
        return show(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        # A lesion id may hold a semicolon; in a list it would look like two items.
        return ";".join([show(item) if isinstance(item, Decimal) else str(item).replace(";", ",") for item in value])
    return str(value)


def not_empty(name: str, text: str) -> str:
    """The cell of a column that is required; raises ``ValueError`` when it is empty."""
    if not text:
        raise ValueError(f"{name} is empty; it is required")
    return text


def safe_name(text: str) -> str:
    """A part of a file name that no text can lead out of the folder, different for different texts."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-")[:32]
    return plain if plain and plain == text else f"{plain}-{hashlib.sha256(text.encode('utf-8')).hexdigest()[:8]}"

"""Datasets into a folder: all of them or none, and nothing that would lie beside another export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mrecist.datasets.dataset_json import dataset_json_text
from mrecist.datasets.guard import check_dataset
from mrecist.datasets.model import Dataset, Standard
from mrecist.datasets.xpt import xpt_bytes
from mrecist.errors import InputError
from mrecist.tables import csv_text, safe_name, write_whole

Writer = Callable[[Dataset, Standard], str | bytes]
FORMATS: dict[str, tuple[str, Writer]] = {
    "xpt5": (".xpt", lambda dataset, _: xpt_bytes(dataset)),
    "dataset-json": (".json", dataset_json_text),
    "csv": (".csv", lambda dataset, _: csv_text([one.name for one in dataset.variables], dataset.rows)),
}
"""Name of a format -> its file name ending and its writer."""


def write_datasets(
    datasets: Sequence[Dataset], out: Path, formats: Sequence[str], standard: Standard, may_be: Sequence[str]
) -> tuple[Path, ...]:
    """Write every dataset that has rows in every format; the files, in order.

    Parameters
    ----------
    out : one format goes to ``out`` itself, several to a folder of the name of each below it.
    formats : keys of :data:`FORMATS`.
    may_be : names of all datasets that this export may write: a file of one of them that is not written now is of another export.

    Raises
    ------
    InputError : a dataset cannot be written, or the folder holds files of another export; nothing is written then.
    """
    folders = {name: out / name if len(formats) > 1 else out for name in formats}
    held = [dataset for dataset in datasets if dataset.rows]
    for dataset in held:
        check_dataset(dataset)
    contents: dict[Path, str | bytes] = {}
    for name, folder in folders.items():
        ending, writer = FORMATS[name]
        for dataset in held:
            contents[folder / f"{safe_name(dataset.name.lower())}{ending}"] = writer(dataset, standard)
    for folder in dict.fromkeys((out, *folders.values())):
        _refuse_others(folder, contents.keys(), may_be)
    for path, content in contents.items():
        write_whole(path, content)
    return tuple(contents)


def _refuse_others(folder: Path, mine: object, may_be: Sequence[str]) -> None:
    endings = {ending for ending, _ in FORMATS.values()}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        ours = path.suffix.casefold() in endings and path.stem.upper() in may_be
        if ours and path not in mine:  # type: ignore[operator]
            raise InputError(
                f"{path}: is of another export and would lie beside this one; name an empty folder, or move it"
            )

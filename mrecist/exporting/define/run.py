"""``mrecist export define``: datasets that were exported, and the results that they are of, to define.xml and define.html."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrecist.datasets.model import Dataset, Standard, Type, text_of
from mrecist.datasets.write import FORMATS
from mrecist.errors import InputError
from mrecist.exporting.define.document import About, define_html, define_xml
from mrecist.exporting.define.items import Definer, Describe
from mrecist.exporting.define.parts import Parts
from mrecist.exporting.moment import created_at
from mrecist.exporting.naming import Exported
from mrecist.exporting.odm.check import check_valid_define
from mrecist.exporting.odm.placing import NOT_XML
from mrecist.tables import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Definable:
    """Datasets with what Define-XML needs beside them.

    ``may_be`` are the names of all datasets that their export may write, ``deriver`` who derived what results say ("" for the evaluator
    of each record), ``describe`` what is known of a test, ``comments`` dataset -> what should be known of it.
    """

    standard: Standard
    title: str
    datasets: tuple[Dataset, ...]
    may_be: Sequence[str]
    describe: Describe
    deriver: str
    comment: str
    comments: Mapping[str, str]


def export_define(named: str, build: Callable[[], Definable], out: Path, created: str = "") -> Exported:
    """Write ``define.xml`` and ``define.html`` beside the datasets in ``out`` (docs/define.md).

    Parameters
    ----------
    named : how the export of the datasets is called, for messages.
    build : gives the datasets as that export gives them.
    created : CreationDateTime in ISO 8601, or ``now``; without it midnight of the latest date in the datasets.

    Raises
    ------
    InputError : ``out`` does not hold just those datasets, or the file would not be valid; nothing is written then.
    """
    found = build()
    held = tuple(one for one in found.datasets if one.rows)
    paths = _files(named, held, out, found)
    definer = Definer(found.describe, found.deriver)
    for dataset in held:
        definer.add(dataset, found.comments.get(dataset.name, ""))
    about = About(
        standard=found.standard,
        title=found.title,
        created=created_at(created, _days(held)),
        files=paths,
        comment=found.comment,
    )
    _check_texts(definer.parts, about)
    content = define_xml(definer.parts, about)
    check_valid_define(content)
    page = define_html(content)
    write_whole(out / "define.xml", content)
    write_whole(out / "define.html", page)
    return Exported(files=(out / "define.xml", out / "define.html"), problems=(), notes=())


def _check_texts(parts: Parts, about: About) -> None:
    """What comes from the study's own files may hold what XML cannot."""
    texts = [
        *(("the study", text) for text in (about.title, about.standard.study)),
        *(
            (one.oid, text)
            for one in parts.codelists.values()
            for term in one.terms
            for text in (term.value, term.decode)
        ),
        *((oid, text) for oid, wanted in parts.wheres.items() for text in wanted.values()),
        *((one.oid, one.label) for one in parts.items),
        *((oid, words) for words, (oid, _) in parts.methods.items()),
    ]
    for where, text in texts:
        if NOT_XML.search(text):
            raise InputError(f"{where}: '{text}' holds a character that XML cannot hold; write it without")


def _days(datasets: Sequence[Dataset]) -> Iterator[str]:
    return (
        text_of(row.get(variable.name))
        for dataset in datasets
        for variable in dataset.variables
        if variable.type in (Type.DATE, Type.SAS_DATE)
        for row in dataset.rows
    )


def _files(named: str, held: Sequence[Dataset], out: Path, found: Definable) -> dict[str, str]:
    """Dataset -> its file below ``out``, of the first format that is there; every file is what the export would write now."""
    first: dict[str, str] = {}
    again = f"run mrecist export {named} again with the same options"
    for form, (ending, writer) in FORMATS.items():
        mine = {dataset.name: f"{dataset.name.lower()}{ending}" for dataset in held}
        every = [f"{name.lower()}{ending}" for name in found.may_be]
        for folder in (out, out / form):
            there = {name for name in every if (folder / name).is_file()}
            if not there:
                continue
            odd = sorted(there ^ set(mine.values()))
            if odd:
                what = "is of another export" if odd[0] in there else "is not there"
                raise InputError(f"{folder / odd[0]}: {what}, and define.xml has to describe all datasets; {again}")
            for dataset in held:
                path, content = folder / mine[dataset.name], writer(dataset, found.standard)
                if path.read_bytes() != (content.encode() if isinstance(content, str) else content):
                    raise InputError(f"{path}: is not what these results and options give; {again}")
            below = "" if folder == out else f"{form}/"
            first = first or {name: f"{below}{file}" for name, file in mine.items()}
    if not first:
        raise InputError(f"{out}: holds no datasets; run mrecist export {named} first, with the same --out")
    return first

"""A folder of DICOM that is meant to be de-identified -> findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mrecist.errors import InputError, SeriesError, printable
from mrecist.identity.across import Facts, compare, facts_of
from mrecist.identity.attributes import Rule
from mrecist.identity.elements import Trace, person_words, traces_of, words_of
from mrecist.identity.finding import Finding, Severity, hint
from mrecist.imaging.headers import get_text, guarded, header_if_dicom
from mrecist.imaging.scan import files_below

_UNREADABLE = Rule(
    "UNREADABLE",
    Severity.HIGH,
    "claims to be DICOM and cannot be read, so nobody knows what it holds",
    "remove the file, or copy it again",
)
_PATH = Rule("NAME_IN_PATH", Severity.HIGH, "a folder or file seems to be named after a person", "rename it")
_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_Key = tuple[str, ...]


class _Findings:
    """Equal findings of many files are one, with the first file and their number."""

    def __init__(self, shown: Callable[[str], str]) -> None:
        self._found: dict[_Key, Finding] = {}
        self._shown = shown

    def add(self, file: str, files: int, trace: Trace, apart: str = "") -> None:
        """``apart`` : what keeps this finding apart from others of the same rule and tag."""
        key = (trace.rule.code, trace.tag, trace.inside, trace.rule.what, apart)
        known = self._found.get(key)
        if known is None:
            rule = trace.rule
            self._found[key] = Finding(
                severity=rule.severity,
                code=rule.code,
                file=self._shown(file),
                files=files,
                tag=trace.tag,
                inside=trace.inside,
                hint=trace.hint,
                what=rule.what,
                what_to_do=rule.what_to_do,
            )
        else:
            self._found[key] = replace(known, files=known.files + files)

    def sorted(self) -> tuple[Finding, ...]:
        return tuple(sorted(self._found.values(), key=lambda f: (_RANK[f.severity], f.code, f.tag, f.inside, f.file)))


def check_identity(root: Path, progress: Callable[[int, int], None] | None = None) -> tuple[Finding, ...]:
    """Everything that still identifies a patient, and every interval that no longer can be right; worst first.

    Each file is read twice, once for people's names (they are then looked for in all texts and paths) and once for the rest.
    Only the facts that are compared between files are kept.

    Raises
    ------
    InputError
        ``root`` is no folder, or there is no DICOM file in it.
    """
    if not root.is_dir():
        raise InputError(f"{root}: is not a folder; give the folder with the de-identified files")
    pieces, problems = files_below(root)
    paths = [path for piece in pieces for path in piece.paths]
    total = 2 * len(paths)
    unreadable = [_relative(Path(problem.path), root) for problem in problems]
    words: frozenset[str] = frozenset()
    for count, path in enumerate(paths, 1):
        words |= _people(path)
        if progress is not None:
            progress(count, total)
    findings = _Findings(lambda file: _without_names(file, words))
    facts: list[Facts] = []
    for count, path in enumerate(paths, 1):
        file = _relative(path, root)
        try:
            with guarded(str(path)):
                facts += _look_at(path, file, words, findings)
        except (SeriesError, OSError):
            unreadable.append(file)
        for named in _named(file, words):
            findings.add(named, 1, Trace(_PATH, "", "", hint(named.rpartition("/")[2])), apart=named)
        if progress is not None:
            progress(len(paths) + count, total)
    for file in unreadable:
        findings.add(file, 1, Trace(_UNREADABLE, "", "", "-"), apart=file)
    for file, files, trace in compare(facts):
        findings.add(file, files, trace, apart=trace.hint)
    return _unless_empty(findings.sorted(), facts, root)


def _unless_empty(found: tuple[Finding, ...], facts: list[Facts], root: Path) -> tuple[Finding, ...]:
    """The findings; a folder in which nothing was looked at must not pass for one in which nothing was found."""
    if not facts and not found:
        raise InputError(f"{root}: holds no DICOM file; give the folder with the de-identified files")
    return found


def _people(path: Path) -> frozenset[str]:
    with (
        suppress(SeriesError, OSError),
        guarded(str(path)),
    ):  # a file that cannot be read is named in the second reading
        header = header_if_dicom(path)
        return frozenset() if header is None else person_words(header.dataset)
    return frozenset()


def _look_at(path: Path, file: str, words: frozenset[str], findings: _Findings) -> Iterator[Facts]:
    header = header_if_dicom(path)
    if header is None:
        return
    # All of it first: of a file that cannot be read to the end, UNREADABLE is the finding.
    traces = {trace[:3]: trace for trace in traces_of(header.dataset, words)}
    fact = facts_of(header.dataset, file, is_image=_is_image(header.pixels is not None, header.dataset))
    for trace in traces.values():
        findings.add(file, 1, trace)
    yield fact


def _is_image(has_pixels: bool, dataset: object) -> bool:
    return has_pixels and get_text(dataset, "Modality") not in ("SEG", "SR", "RTSTRUCT", "PR", "KO")


def _relative(path: Path, root: Path) -> str:
    return printable(path.relative_to(root).as_posix()) if path.is_relative_to(root) else path.name


def _named(file: str, words: frozenset[str]) -> Iterator[str]:
    """The path down to each part that holds a person's name: one found in a header, or written as names are."""
    parts = file.split("/")
    for depth, part in enumerate(parts, 1):
        first, comma, second = part.partition(", ")
        like_a_name = "^" in part or (comma and first.isalpha() and second[:1].isalpha())
        if like_a_name or words & words_of(part):
            yield "/".join(parts[:depth])


def _without_names(file: str, words: frozenset[str]) -> str:
    """The path with parts that hold a name replaced by their length: findings are read by more people than the data."""
    named = {path.rpartition("/")[2] for path in _named(file, words)}
    return "/".join(f"[{len(part)} characters]" if part in named else part for part in file.split("/"))

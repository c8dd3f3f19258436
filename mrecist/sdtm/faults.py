"""What a reader of datasets has to tell: problems that stop a read, and notes that do not, each once with its subjects."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrecist.model import Problem


@dataclass(slots=True)
class Faults:
    """Collects problems and notes while datasets are read."""

    _problems: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    _notes: dict[str, dict[str, None]] = field(default_factory=dict)

    def problem(self, subject: str, reader: str, where: str, text: str) -> None:
        """A fault that leaves out the read of this subject and reader; ``where`` names the row."""
        self._problems.setdefault((subject, reader, text), []).append(where)

    def failed(self, subject: str) -> set[str]:
        """The readers of a subject that have a problem."""
        return {reader for name, reader, _ in self._problems if name == subject}

    def problems(self) -> tuple[Problem, ...]:
        """One problem for each fault of a read, with the first row that shows it and how many more do."""
        found = []
        for (subject, reader, text), rows in self._problems.items():
            where = rows[0] + (f" and {len(rows) - 1} more" if len(rows) > 1 else "")
            of = f", subject {subject or '?'}" + (f", reader {reader}" if reader else "")
            found.append(Problem(subject=subject, reader=reader, message=f"{where}{of}: {text}"))
        return tuple(found)

    def note(self, text: str, subject: str) -> None:
        """Something a person should know that stops nothing; the same text is told once for all its subjects."""
        self._notes.setdefault(text, {})[subject] = None

    def notes(self) -> tuple[str, ...]:
        """The notes with the number of subjects, and the first of them."""
        told = []
        for text, subjects in self._notes.items():
            names = ", ".join(list(subjects)[:3]) + (", ..." if len(subjects) > 3 else "")
            told.append(f"{text} ({len(subjects)} subject{'s' if len(subjects) > 1 else ''}: {names})")
        return tuple(told)

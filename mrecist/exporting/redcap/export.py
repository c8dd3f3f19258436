"""A results folder to a REDCap project: its dictionary, an import file, and the upload."""

from __future__ import annotations

from pathlib import Path

from mrecist.exporting.naming import Exported
from mrecist.exporting.redcap.dictionary import dictionary_csv, instruments
from mrecist.exporting.redcap.records import entries_of, formula_cells, import_csv, read_events
from mrecist.exporting.redcap.server import Server, check_url, token_of_environment
from mrecist.exporting.redcap.upload import outcomes_csv, problem_of, upload
from mrecist.exporting.results_rows import read_results
from mrecist.model import Problem
from mrecist.pacs.patience import Patience
from mrecist.tables import write_whole


def export_redcap(
    results: Path,
    out: Path,
    *,
    subjects: Path | None = None,
    protocol: Path | None = None,
    events: Path | None = None,
    dictionary: bool | None = None,
    repeat_instrument: str = "",
    complete: str = "2",
    url: str = "",
    replace: bool = False,
    patience: Patience | None = None,
) -> Exported:
    """Write ``dictionary.csv`` and ``records.csv`` into ``out``, and with ``url`` send the records (docs/edc.md).

    Parameters
    ----------
    results : the folder that ``assess`` or ``score`` wrote.
    subjects, protocol : ``subjects.csv``, and the protocol when the folder keeps none.
    events : table of time points and unique event names, of a longitudinal project.
    dictionary : whether the data dictionary is written; None: as the protocol says.
    repeat_instrument : name of the form of the responses; without it that of the protocol.
    complete : status of each form: 0 incomplete, 1 unverified, 2 complete.
    url : API of the server; its token comes from the environment variable MRECIST_REDCAP_TOKEN. ``upload.csv`` then says what
        became of each form.
    replace : write over values of the server that differ.
    patience : retries after a lost connection.

    Raises
    ------
    InputError : the results cannot be used, the URL is not safe, or the project does not fit. A value or form that cannot be
        written is a problem.
    """
    token = ""
    if url:
        url, token = check_url(url), token_of_environment()
    rows = read_results(results, subjects, protocol)
    columns = dict.fromkeys(name for cells in rows.subjects for name in cells if name)
    settings = rows.protocol.export.redcap
    forms = instruments(repeat_instrument or settings.repeat_instrument, columns, accepted=bool(rows.accepted.rows))
    visits = read_events(events)
    found = entries_of(rows, forms, visits, complete)
    files = [out / "records.csv"]
    if settings.dictionary if dictionary is None else dictionary:
        files.insert(0, out / "dictionary.csv")
        write_whole(files[0], dictionary_csv(forms))
    write_whole(files[-1], import_csv(found.entries, forms, bool(visits)))
    notes = [*rows.notes, *found.notes]
    formulas = formula_cells(found.entries)
    if formulas:
        notes.append(
            f"records.csv: {len(formulas)} cells would be run by a spreadsheet, the first in {formulas[0]}; do not open it with one"
        )
    problems = [*rows.problems, *found.problems]
    if url:
        server = Server(url, token, patience or Patience())
        sent = upload(found.entries, forms, server, longitudinal=bool(visits), replace=replace)
        outcomes = sent.outcomes
        files.append(out / "upload.csv")
        write_whole(files[-1], outcomes_csv(outcomes))
        counts = {status: sum(one.status == status for one in outcomes) for status in {one.status for one in outcomes}}
        notes.append("upload: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
        problems.extend(Problem(subject="", reader="", message=line) for line in sent.strays)
        problems.extend(
            Problem(subject=one.entry.record, reader="", message=message)
            for one in outcomes
            if (message := problem_of(one))
        )
    return Exported(files=tuple(files), problems=tuple(problems), notes=tuple(notes))

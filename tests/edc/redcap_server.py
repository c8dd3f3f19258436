"""A stand-in for a REDCap server on loopback: the parts of its API that an upload uses, and ways to fail.

It keeps rows by record, event, repeat instrument and instance, merges what is imported as ``normal`` or ``overwrite`` says, checks
fields, choices and validation like REDCap does, and takes all rows of a request or none.
"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "0123456789ABCDEF0123456789ABCDEF"
KEYS = ("record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
_VALID = {
    "number": re.compile(r"-?\d+(\.\d+)?|-?\.\d+"),
    "integer": re.compile(r"-?\d+"),
    "date_ymd": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "": re.compile(r".*", re.DOTALL),
}
Row = dict[str, str]
# Called with the request; answers (status, body) in place of the server, or None.
Trouble = Callable[[dict[str, str]], "tuple[int, str] | None"]


def always(answer: tuple[int, str] | None) -> Trouble:
    """The same answer to every request; None: the server's own."""

    def trouble(_: dict[str, str]) -> tuple[int, str] | None:
        return answer

    return trouble


class RedcapProject:
    """The state of one project."""

    def __init__(self, dictionary: str, repeating: set[str], *, events: bool = False) -> None:
        lines = list(csv.reader(io.StringIO(dictionary)))
        self.fields = [
            {
                "field_name": line[0],
                "form_name": line[1],
                "field_type": line[3],
                "select_choices_or_calculations": line[5],
                "text_validation_type_or_show_slider_number": line[7],
            }
            for line in lines[1:]
        ]
        self.repeating = repeating
        self.events = events
        self.rows: dict[tuple[str, ...], Row] = {}
        self.requests: list[dict[str, str]] = []
        self.trouble: Trouble = always(None)
        self.alter: Callable[[str], str] = lambda text: text

    def answer(self, request: dict[str, str]) -> tuple[int, str]:
        """Status and body."""
        self.requests.append(request)
        trouble = self.trouble(request)
        if trouble is not None:
            return trouble
        if request.get("token") != TOKEN:
            return 403, json.dumps({"error": "You do not have permissions to use the API"})
        content = request.get("content")
        if content == "metadata":
            return 200, json.dumps(self.fields)
        if content == "project":
            repeats = int(bool(self.repeating))
            return 200, json.dumps(
                {"is_longitudinal": int(self.events), "has_repeating_instruments_or_events": repeats}
            )
        if content == "repeatingFormsEvents":
            return 200, json.dumps([{"form_name": name, "custom_form_label": ""} for name in sorted(self.repeating)])
        if content == "record" and "data" in request:
            return self._import(json.loads(request["data"]), request["overwriteBehavior"] == "overwrite")
        if content == "record":
            return 200, json.dumps(self._export(request))
        return 400, json.dumps({"error": f"unknown content {content}"})

    def _export(self, request: dict[str, str]) -> list[Row]:
        names = {value for key, value in request.items() if key.startswith("records[")}
        forms = {value for key, value in request.items() if key.startswith("forms[")}
        fields = [one["field_name"] for one in self.fields if one["form_name"] in forms]
        fields += [f"{form}_complete" for form in forms]
        keys = [key for key in KEYS if self.events or key != "redcap_event_name"]
        return [
            {**{key: row.get(key, "") for key in keys}, **{one: row.get(one, "") for one in fields if one not in keys}}
            for row in self.rows.values()
            if row["record_id"] in names
        ]

    def _import(self, rows: list[Row], overwrite: bool) -> tuple[int, str]:
        wrong = [text for row in rows for text in self._wrong(row)]
        seen = [tuple(row.get(key, "") for key in KEYS) for row in rows]
        if len(seen) != len(set(seen)):
            wrong.append("the same record is there twice")
        if wrong:
            return 400, json.dumps({"error": "\n".join(wrong)})
        # At its worst: a field that another row of the request has is an empty one here
        columns = {name for row in rows for name in row if name not in KEYS}
        for key, row in zip(seen, rows, strict=True):
            there = self.rows.setdefault(key, {name: row.get(name, "") for name in KEYS})
            for name in columns:
                if row.get(name) or overwrite:
                    there[name] = self.alter(row.get(name, ""))
        return 200, json.dumps(sorted({row["record_id"] for row in rows}))

    def _wrong(self, row: Row) -> Iterator[str]:
        known = {one["field_name"]: one for one in self.fields}
        forms = {one["form_name"] for one in self.fields}
        instrument = row.get("redcap_repeat_instrument", "")
        if instrument and (instrument not in self.repeating or not row["redcap_repeat_instance"].isdecimal()):
            yield f"{instrument} does not repeat"
        for name, value in row.items():
            if name in KEYS or (
                name.endswith("_complete") and name.removesuffix("_complete") in forms and value in "012"
            ):
                continue
            field = known.get(name)
            if field is None:
                yield f"{row['record_id']}, {name}: no such field"
            elif value and (field["form_name"] in self.repeating) != bool(instrument):
                yield f"{row['record_id']}, {name}: wrong instrument"
            elif value and field["field_type"] == "dropdown":
                codes = [part.partition(",")[0].strip() for part in field["select_choices_or_calculations"].split("|")]
                if value not in codes:
                    yield f"{row['record_id']}, {name}: {value} is not a valid category"
            elif value and not _VALID[field["text_validation_type_or_show_slider_number"]].fullmatch(value):
                yield f"{row['record_id']}, {name}: {value} could not be validated"


@contextmanager
def serving(project: RedcapProject) -> Iterator[str]:
    """The project on a free port of 127.0.0.1; gives the URL of its API."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
            request = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            request["(path)"], request["(authorization)"] = self.path, self.headers.get("Authorization", "")
            status, text = project.answer(request)
            if status == 0:  # hang up without an answer
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", text)
            data = text.encode("utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # those that still answer are waited for

        def handle_error(self, *_: Any) -> None:
            """A client that has left is no fault of the server."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/redcap/api/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

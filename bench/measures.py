"""The rows of the speed table: what each one sends, and what it is held against."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Callable
from typing import Any

from bench.client import Client
from bench.servers import READER_PASSWORD
from documents.demo.names import TOPICS, address

_DOCUMENTS = 64


@dataclasses.dataclass(frozen=True, slots=True)
class Script:
    """What wrk runs: a script of `bench/lua/` and its arguments."""

    name: str
    arguments: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """One row: its name in the table, least ratio to F3, most statements a request, and its preparation."""

    key: str
    title: str
    target: float
    statements: int
    prepare: Callable[[Setting], Script]


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What a preparation works with: the address, a folder for request files, the reader and the writer."""

    base: str
    folder: pathlib.Path
    reader: Client
    writer: Client
    users: int

    def requests(self, name: str, lines: list[list[str]]) -> Script:
        """A script that sends the given requests in turn."""
        path = self.folder / f"{name}.requests"
        path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
        return Script("read.lua", (str(path),))


def _bearer(client: Client) -> str:
    return f"Authorization: Bearer {client.sign_in()}"


def _documents(client: Client) -> list[str]:
    return [str(entry["id"]) for entry in client.pages("documents/?page_size=50", _DOCUMENTS)]


def _json(value: dict[str, Any]) -> list[str]:
    return ["Content-Type: application/json", "=" + json.dumps(value)]


def _get(setting: Setting) -> Script:
    bearer = _bearer(setting.reader)
    lines = [["GET", f"/api/v1/documents/{uid}/", bearer] for uid in _documents(setting.reader)]
    return setting.requests("get", lines)


def _not_modified(setting: Setting) -> Script:
    bearer = _bearer(setting.reader)
    lines = []
    for uid in _documents(setting.reader):
        tag = setting.reader.send("GET", f"documents/{uid}/").headers["ETag"]
        lines.append(["GET", f"/api/v1/documents/{uid}/", bearer, f"If-None-Match: {tag}"])
    return setting.requests("not_modified", lines)


def _list(setting: Setting) -> Script:
    return setting.requests("list", [["GET", "/api/v1/documents/?page_size=50", _bearer(setting.reader)]])


def _search(setting: Setting) -> Script:
    bearer = _bearer(setting.reader)
    lines = [["GET", f"/api/v1/search/?q={word}&page_size=20", bearer] for word in TOPICS]
    return setting.requests("search", lines)


def _own_workspace(client: Client) -> str:
    mine = client.send("GET", "workspaces/").json()["results"]
    found = [entry["id"] for entry in mine if entry["name"] == "Bench"]
    return str(found[0] if found else client.send("POST", "workspaces/", json={"name": "Bench"}).json()["id"])


def _create(setting: Setting) -> Script:
    bearer = _bearer(setting.writer)
    workspace = _own_workspace(setting.writer)
    lines = []
    for uid in _documents(setting.reader):
        read = setting.reader.send("GET", f"documents/{uid}/").json()
        written = {"workspace": workspace, "title": read["title"], "content": read["content"]}
        lines.append(["POST", "/api/v1/documents/", bearer, *_json(written)])
    return setting.requests("create", lines)


def _update(setting: Setting) -> Script:
    token = setting.writer.sign_in()
    lines = []
    for entry in setting.writer.pages("documents/?page_size=50", _DOCUMENTS):
        answer = setting.writer.send("GET", f"documents/{entry['id']}/")
        content = f"Revised @@.\n\n{answer.json()['content'].partition(chr(10) * 2)[2]}"
        lines.append(f"{entry['id']}\t{answer.headers['ETag']}\t{json.dumps({'content': content})}\n")
    path = setting.folder / "update.requests"
    path.write_text("".join(lines), encoding="utf-8")
    return Script("update.lua", (str(path), token))


def _sign_in(setting: Setting) -> Script:
    lines = [
        ["POST", "/api/v1/auth/login/", *_json({"email": address(n), "password": READER_PASSWORD})]
        for n in range(1, setting.users + 1)
    ]
    return setting.requests("sign_in", lines)


MEASURES = (
    Measure("get", "GET one document, signed in, rights checked", 0.30, 2, _get),
    Measure("not_modified", "the same with If-None-Match → 304", 0.40, 2, _not_modified),
    Measure("list", "list of 50, rights checked", 0.20, 2, _list),
    Measure("search", "full-text search, 20 hits, rights checked, snippets", 0.15, 4, _search),
    Measure("create", "create (revision, audit event in one transaction)", 0.08, 10, _create),
    Measure("update", "update with If-Match (likewise)", 0.06, 10, _update),
    Measure("sign_in", "sign-in", 0.010, 0, _sign_in),
)

"""The permission table against the code: complete, and true for every actor."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.services import admin_create
from audit.models import Event
from cloudscribe.jobs.services import job_enqueue
from documents.addresses import document_path
from documents.link_secrets import LinkNames
from documents.models import Invitation
from security.models import RateLimitPolicy
from security.services import ip_rule_create
from tests.accounts.factories import PASSWORD, user_make
from tests.actors import command
from tests.documents import uploading
from tests.fixtures import ApiClient, client_make
from tests.permissions import document
from tests.permissions.table import ACTORS, TABLE, Level, Row
from tests.rolled_back import transaction_of_many_tests, undone

ABSENT = "01900000-0000-7000-8000-000000000000"
ROLES = ("viewer", "commenter", "editor", "manager")


def _routes(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, str, Any]]:
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _routes(entry, path)
        elif isinstance(entry, URLPattern):
            actions = getattr(entry.callback, "actions", None) or {"get": ""}
            # A view adds HEAD to its actions when it is first called.
            for method, action in ((name, actions[name]) for name in actions if name != "head"):
                yield method.upper(), path, (entry.callback, action)


def _of_the_site() -> list[tuple[str, str, Any]]:
    return [route for route in _routes(get_resolver()) if not route[1].startswith("/admin/")]


def _shape(path: str) -> str:
    full = path if path.startswith("/") else "/api/v1/" + path
    return re.sub(r"<[^>]+>|\{[^}]+\}|(?<=/revisions/)\d+", "*", full.partition("?")[0])


def test_table_holds_every_route() -> None:
    """A route that nobody thought about is refused here, before it is open to anybody."""
    have = {(row.method, _shape(row.path)) for row in TABLE}
    assert {(method, _shape(path)) for method, path, _ in _of_the_site()} == have


def test_table_names_the_scope_of_every_route() -> None:
    """The scope that a token needs is the one that the view asks for."""
    scopes = {}
    for method, path, (callback, action) in _of_the_site():
        view = getattr(callback, "cls", None)
        scopes[method, _shape(path)] = getattr(view, "scope_map", {}).get(action) if view else None
    assert {(row.name, scopes[row.method, _shape(row.path)]) for row in TABLE} == {
        (row.name, row.scope) for row in TABLE
    }


class Stage:
    """A workspace with a person of every role and all that the paths of the table name."""

    def __init__(self) -> None:
        self.clients: dict[str, ApiClient] = {"anonymous": ApiClient(), "owner": client_make()}
        owner = self.clients["owner"]
        self.ids = {
            "role": "member",
            "tag": "a/b",
            **dict.fromkeys(("absent", "identity", "notification", "passkey", "session", "token"), ABSENT),
        }
        self.ids["soon"] = (timezone.now() + dt.timedelta(days=1)).isoformat()
        self.ids["workspace"] = owner.post("workspaces/", {"name": "World"}).json()["id"]
        for role in ROLES:
            self.clients[role] = client_make()
            self._member(self.clients[role].user, role)
        self.clients["outsider"] = client_make()
        admin, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
        self.clients["administrator"] = client_make(admin)
        self._fill(owner)

    def _member(self, user: Any, role: str) -> str:
        path = f"workspaces/{self.ids['workspace']}/members/"
        answer = self.clients["owner"].post(path, {"user": str(user.uid), "role": role})
        return str(answer.json()["id"])

    def _hook(self, owner: ApiClient, path: str) -> None:
        hook = {"url": "https://hooks.example.org/in", "events": ["*"]}
        self.ids["webhook"] = owner.post(path, hook).json()["id"]
        self.ids["delivery"] = owner.post(f"{path}{self.ids['webhook']}/ping/").json()["id"]

    def _fill(self, owner: ApiClient) -> None:
        for name in ("document", "other"):
            body = {"workspace": self.ids["workspace"], "title": name.title(), "tags": [self.ids["tag"]]}
            self.ids[name] = owner.post("documents/", body).json()["id"]
        self.ids["team"] = owner.post("teams/", {"name": "Team"}).json()["id"]
        self.ids |= {role: str(self.clients[role].user.uid) for role in ROLES}
        owner.post(f"teams/{self.ids['team']}/members/", {"user": self.ids["viewer"]})
        self.ids["newcomer"] = str(user_make().uid)
        self.ids["member"] = self._member(user_make(), "viewer")
        guest = {"email": "guest@example.org", "role": "viewer"}
        self.ids["invitation"] = owner.post(f"workspaces/{self.ids['workspace']}/members/", guest).json()[
            "id"
        ]
        Invitation.objects.update(last_sent_at=F("last_sent_at") - dt.timedelta(minutes=2))
        grant = {"user": str(user_make().uid), "role": "viewer"}
        self.ids["grant"] = owner.post(f"documents/{self.ids['document']}/grants/", grant).json()["id"]
        attached = uploading.upload(owner, self.ids["document"])
        self.ids["attachment"] = attached.json()["id"]
        asked = client_make().post(f"documents/{self.ids['document']}/access-requests/", {"role": "viewer"})
        self.ids["request"] = asked.json()["id"]
        thread = owner.post(f"documents/{self.ids['document']}/threads/", {"body": "Why?"}).json()
        self.ids |= {"thread": thread["id"], "comment": thread["comments"][0]["id"]}
        link = owner.post(f"documents/{self.ids['document']}/links/", {"role": "editor"}).json()
        self.ids |= {"link": link["id"], "secret": link["secret"]}
        names = LinkNames(link["secret"])
        self.ids["shared_key"] = names.document_key(uuid.UUID(self.ids["document"]))
        self.ids["thread_key"] = names.thread_key(uuid.UUID(self.ids["thread"]))
        self.ids["file_key"] = names.file_key(uuid.UUID(self.ids["attachment"]))
        self.ids["address"] = document_path(uuid.UUID(self.ids["document"]), "Document")[3:]
        snapshots = f"workspaces/{self.ids['workspace']}/snapshots/"
        self.ids["snapshot"] = owner.post(snapshots, {"name": "Then"}).json()["id"]
        self._hook(owner, f"workspaces/{self.ids['workspace']}/webhooks/")
        self._fill_platform(owner)

    def _fill_platform(self, owner: ApiClient) -> None:
        with transaction.atomic():
            self.ids["job"] = str(job_enqueue(actor=command(), kind="mail.send", payload={}).uid)
        self.ids["ip_rule"] = str(ip_rule_create(actor=command(), network="203.0.113.0/24").uid)
        self.ids["rate_limit"] = str(RateLimitPolicy.objects.get(scope="reads", key="user").uid)
        robot = {"name": "Robot", "workspace": self.ids["workspace"]}
        self.ids["service"] = owner.post("service-accounts/", robot).json()["id"]
        tokens, cut = f"service-accounts/{self.ids['service']}/tokens/", {"scopes": ["documents:read"]}
        minted = owner.post(tokens, {"name": "Robot's", "expires_at": self.ids["soon"], **cut})
        self.ids["service_token"] = minted.json()["id"]
        self.ids["event"] = str(Event.objects.latest("sequence").sequence)

    def prepare(self, setup: str) -> None:
        """Put the document into the state that the row speaks of, as its owner."""
        actions = {"trashed": ["trash"], "archived": ["archive"], "draft": ["unpublish"]}
        for action in actions.get(setup, []):
            answer = self.clients["owner"].post(f"documents/{self.ids['document']}/{action}/")
            assert answer.status_code == 200, answer.content

    def filled(self, text: Any) -> Any:
        """`text` with the names in braces replaced by ids, of a list each; what is neither as it is."""
        if isinstance(text, list):
            return [self.filled(item) for item in text]
        if not isinstance(text, str):
            return text
        return re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], text)

    def call(self, row: Row, actor: str) -> int:
        """The status of the row's call by one actor; nothing of it stays that another one could see."""
        # What a read writes, when it was made and by whom, nobody else's answer depends on.
        with nullcontext() if row.method == "GET" else undone():
            answer = self.answer(row, actor)
        if answer.status_code == 200 and answer.headers.get("Cache-Control") == "private, no-cache":
            assert answer.headers.get("ETag"), "a read that may be kept can be asked for again by its ETag"
        return int(answer.status_code)

    def answer(self, row: Row, actor: str) -> Any:
        """The answer to the row's call."""
        headers = {}
        if row.if_match:
            path = f"documents/{self.ids['document']}/"
            headers["If_Match"] = self.clients["owner"].get(path).headers["ETag"]
        if row.upload:
            headers["Content_Type"] = uploading.FORM
            fields = [
                uploading.part(self.filled(value).encode(), name=name, filename=None)
                for name, value in (row.body or {}).items()
            ]
            raw = uploading.form(*fields, uploading.part(b"a file", filename="notes.md"))
            return self.clients[actor].call(row.method, self.filled(row.path), raw=raw, **headers)
        if row.markdown:
            headers["Content_Type"] = "text/markdown"
            raw = row.markdown.encode()
            return self.clients[actor].call(row.method, self.filled(row.path), raw=raw, **headers)
        body = {key: self.filled(value) for key, value in row.body.items()} if row.body is not None else None
        return self.clients[actor].call(row.method, self.filled(row.path), body, **headers)


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """One for all rows: nothing of a row stays."""
    with transaction_of_many_tests(django_db_blocker):
        yield Stage()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_row_is_true_for_every_actor(stage: Stage, row: Row) -> None:
    """Each kind of actor gets just the answer that the table promises."""
    with undone():
        stage.prepare(row.setup)
        answers = {actor: stage.call(row, actor) for actor in ACTORS}
    assert answers == dict(zip(ACTORS, row.answers, strict=True))


def test_every_level_has_routes() -> None:
    """The four levels are each real on real routes."""
    assert {row.level for row in TABLE} == set(Level)


def test_page_of_the_handbook_is_current() -> None:
    """docs/permissions.md tells what is tested."""
    assert document.PAGE.read_text() == document.page(), "run `python -m tests.permissions.document`"

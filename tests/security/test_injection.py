"""Nothing that a client sends becomes SQL, wherever it is sent: every place of every route."""

from __future__ import annotations

import pathlib
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import yaml
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from accounts.models import Session, User
from documents.models import Document, Workspace
from security.file_names import name_safe
from tests.accounts.factories import PASSWORD, user_make
from tests.fixtures import ApiClient
from tests.permissions.table import ACTORS, TABLE, Row
from tests.permissions.test_table import Stage
from tests.rolled_back import transaction_of_many_tests, undone
from tests.security.injection import PAYLOADS, SLEEP, Point, digest, points
from tests.sweeps import WHOLE

# Thousands of requests through what the tests of each route run through; of several processes one begins with
# them.
pytestmark = pytest.mark.slow

# Every place gets some, all of them together get all; the whole sweep tries all at every place.
MOST = len(PAYLOADS) if WHOLE else 0
FREE, TYPED, HEADERS, FIELDS = (MOST or count for count in (6, 2, 1, 2))
# Read by views that look at the request itself; no schema lists them for every operation.
OF_EVERY_OPERATION = (
    # Read of every request, and none of them keeps another one from being read: all four in one.
    "X-Request-ID User-Agent X-Forwarded-For Accept-Language",
    "Idempotency-Key",
    "If-None-Match",
    "If-Match",
    "Prefer",
)
OUTSIDE = {
    "/account/verify/": ["token"],
    "/account/reset/": ["token"],
    "/account/email/": ["token"],
    "/account/invitation/": ["token"],
    "/api/schema/": ["lang", "version"],
}
# What a read may write: when a session was last used, and that something was refused.
OF_THE_READING = frozenset({"accounts_session", "audit_event", "audit_eventdetail"})
# To read by a link is to use it, which its owner sees.
OF_A_VISIT = frozenset({"documents_sharelink", "documents_linkvisit"})
OF_THE_STAFF = frozenset({"django_session"})


def _shape(path: str) -> str:
    full = path if path.startswith("/") else "/api/v1/" + path
    return re.sub(r"\{[^}]+\}|(?<=/revisions/)\d+", "*", full.partition("?")[0])


ROUTES: dict[str, Row] = {}
for _row in TABLE:
    ROUTES.setdefault(f"{_row.method} {_shape(_row.path)}", _row)
READS = [name for name in ROUTES if name.startswith("GET ")]
WRITES = [name for name in ROUTES if not name.startswith("GET ")]


class Target:
    """A world, the schema, calls of its operations with one place changed, and staff at the admin."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.staff = Client(raise_request_exception=False)
        boss = self.stage.clients["administrator"].user
        assert boss is not None
        form = {"username": boss.email, "password": PASSWORD}
        assert self.staff.post("/admin/login/?next=/admin/", form).status_code == 302
        self._untouched: dict[frozenset[str], dict[str, str]] = {}
        # The committed schema, which the tests of the contract hold to the code: it is read in a tenth of the
        # time in which it is made.
        committed = pathlib.Path(settings.BASE_DIR, "docs/openapi.yaml").read_text(encoding="utf-8")
        schema = yaml.load(committed, yaml.CSafeLoader)
        self.components = schema["components"]
        self.operations: dict[str, tuple[str, dict[str, Any]]] = {}
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                self.operations[f"{method.upper()} {_shape(path)}"] = path, operation

    def places(self, name: str) -> list[Point]:
        """Every place of the operation: what the schema lists, and the headers of all."""
        _, operation = self.operations.get(name, ("", {}))
        listed = list(points(operation, self.components))
        listed += [Point("query", each, free=False) for each in OUTSIDE.get(ROUTES[name].path, [])]
        known = {place.name for place in listed}
        others = [each for each in OF_EVERY_OPERATION if each not in known]
        return listed + [Point("header", each) for each in others]

    def untouched(self, setup: str, apart: frozenset[str]) -> dict[str, str]:
        """The digest before a test, which is the same before each: nothing stays but what `setup` says."""
        if setup:
            return digest(apart)
        if apart not in self._untouched:
            self._untouched[apart] = digest(apart)
        return self._untouched[apart]

    def call(self, name: str, place: Point, payload: str) -> Any:
        """The answer to the operation, right but for the payload at that place."""
        row = ROUTES[name]
        body = {key: self.stage.filled(value) for key, value in (row.body or {}).items()}
        path, headers = self.stage.filled(row.path).partition("?")[0], {}
        if row.if_match:
            document = self.stage.clients["owner"].get(f"documents/{self.stage.ids['document']}/")
            headers["If-Match"] = document.headers["ETag"]
        if place.kind == "header":
            headers |= dict.fromkeys(place.name.split(), payload.encode("ascii", "replace").decode())
        elif place.kind == "query":
            path += "?" + urlencode({**({"q": "page"} if "search" in path else {}), place.name: payload})
        elif place.kind == "path":
            path = self._with_segment(name, place, payload, path)
        else:
            body[place.name] = payload
        actor = next(actor for actor in ("owner", "administrator") if self._may(row, actor))
        sent = body if row.method != "GET" and (body or row.body is not None) else None
        began = time.monotonic()
        answer = self.stage.clients[actor].call(row.method, path, sent, **headers)
        assert time.monotonic() - began < SLEEP / 3, f"{place} {payload!r} took its time"
        assert answer.status_code < 500, f"{place} {payload!r}: {answer.status_code} {answer.content!r}"
        return answer

    def _with_segment(self, name: str, place: Point, payload: str, path: str) -> str:
        at = self.operations[name][0].removeprefix("/api/v1/").split("/").index(f"{{{place.name}}}")
        parts = path.split("/")
        parts[at] = quote(payload, safe="")
        return "/".join(parts)

    @staticmethod
    def _may(row: Row, actor: str) -> bool:
        return row.answers[ACTORS.index(actor)] < 400 or actor == "administrator"


@pytest.fixture(scope="module")
def target(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """One for all operations: nothing stays of a call."""
    changed = override_settings(RATELIMIT_ENABLE=False, TRUSTED_PROXIES=["127.0.0.0/8"])
    with changed, transaction_of_many_tests(django_db_blocker):
        yield Target()


def counted(place: Point) -> int:
    """How many payloads a place gets: where anything goes more than where a type or a form is asked for."""
    if place.kind == "header":
        return HEADERS
    if place.kind == "body":
        return FIELDS
    return FREE if place.free else TYPED


@pytest.mark.parametrize("name", READS)
def test_read_takes_no_sql(target: Target, name: str) -> None:
    """Never a 5xx, never a wait, and no table is another afterwards."""
    with undone():
        target.stage.prepare(ROUTES[name].setup)
        may_write = OF_THE_READING | (OF_A_VISIT if re.search(r"/(s|shared)/", name) else frozenset())
        before = target.untouched(ROUTES[name].setup, may_write)
        for place in target.places(name):
            for payload in place.payloads(name, counted(place)):
                target.call(name, place, payload)
        assert digest(may_write) == before


@pytest.mark.parametrize("name", WRITES)
def test_write_takes_no_sql(target: Target, name: str) -> None:
    """A payload is kept as the text that it is, or refused; nobody gains or loses anything by it."""
    places = target.places(name)
    headers = [place for place in places if place.kind == "header"]
    for together in [headers, *([place] for place in places if place.kind != "header")]:
        with undone():
            target.stage.prepare(ROUTES[name].setup)
            before = bystanders()
            for place in together:
                for payload in place.payloads(name, counted(place)):
                    answer = target.call(name, place, payload)
                    assert answer.status_code >= 400 or _is_kept(answer, place, payload)
            after = bystanders()
            assert after["powers"] == before["powers"]
            assert after["people"] >= before["people"]
            assert name.startswith("DELETE ") or after["rest"] >= before["rest"]


def bystanders() -> dict[str, set[Any]]:
    """What no write of one thing touches: who there is and with which powers, and what else there is."""
    return {
        "powers": set(User.objects.filter(is_superuser=True).values_list("pk")),
        "people": set(User.objects.values_list("pk")),
        "rest": {
            *Document.objects.values_list("pk", "created_at"),
            *Workspace.objects.values_list("pk", "created_at"),
        },
    }


def _is_kept(answer: Any, place: Point, payload: str) -> bool:
    """Whether the field of the answer, where it has one of the name, is the payload letter by letter."""
    if place.kind != "body" or not answer.content or "json" not in answer.headers["Content-Type"]:
        return True
    shown = answer.json().get(place.name)
    if place.name == "slug":  # made of letters, digits and hyphens whatever is asked for
        return bool(re.fullmatch(r"[a-z0-9-]*", shown))
    if "/attachments/" in answer.wsgi_request.path:  # harmless as a file's name, too
        return bool(shown == name_safe(payload))
    return shown == payload.strip() or not isinstance(shown, str)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_is_kept_letter_by_letter(target: Target, payload: str) -> None:
    """Every payload as a title, a body and a tag, found again by reading and by filtering."""
    owner, ids = target.stage.clients["owner"], target.stage.ids
    with undone():
        text = payload.strip()
        body = {"workspace": ids["workspace"], "title": text, "content": text, "tags": [text]}
        made = owner.post("documents/", body, **{"Idempotency-Key": "k" + quote(payload)})
        assert made.status_code == 201, made.content
        read = owner.get(made.headers["Location"]).json()
        assert (read["title"], read["content"], read["tags"]) == (text, text, [text])
        found = owner.get("documents/?" + urlencode({"tag": text})).json()["results"]
        assert [row["id"] for row in found] == [read["id"]]
        assert owner.get("search/?" + urlencode({"q": payload})).status_code == 200


@pytest.mark.parametrize("payload", PAYLOADS)
def test_sign_in_takes_no_sql(target: Target, payload: str) -> None:
    """No payload signs anybody in; what a client calls itself is kept as it is, where it comes from isn't."""
    headers = {
        "User-Agent": payload.encode("ascii", "replace").decode(),
        "X-Forwarded-For": payload.encode("ascii", "replace").decode(),
        "X-Request-ID": payload.encode("ascii", "replace").decode(),
    }
    with undone():
        user = user_make()
        for email, password in ((user.email + payload, PASSWORD), (user.email, payload)):
            answer = ApiClient().post("auth/login/", {"email": email, "password": password})
            assert answer.status_code in {400, 401}, answer.content
        answer = ApiClient().post("auth/login/", {"email": user.email, "password": PASSWORD}, **headers)
        assert answer.status_code == 200
        assert re.fullmatch(r"[\w-]{8,80}", answer.headers["X-Request-ID"], re.ASCII)
        assert Session.objects.get(user=user).device == headers["User-Agent"]


STAFF_LISTS = sorted(
    f"{model._meta.app_label}/{model._meta.model_name}"
    for model in admin.site._registry
    if model._meta.managed
)


@pytest.mark.parametrize("name", STAFF_LISTS)
def test_staff_list_takes_no_sql(target: Target, name: str) -> None:
    """Search, order, page, filters and key of every list of the admin."""
    (model,) = (
        each for each in admin.site._registry if f"{each._meta.app_label}/{each._meta.model_name}" == name
    )
    filters = [each for each in admin.site._registry[model].list_filter if isinstance(each, str)]
    with undone():
        before = target.untouched("", OF_THE_READING | OF_THE_STAFF)
        for field in ("q", "o", "p", "id", *filters):
            for payload in Point("query", field).payloads(name, MOST or (3 if field == "q" else 1)):
                answer = target.staff.get(f"/admin/{name}/", {field: payload})
                assert answer.status_code < 500, (field, payload, answer.content)
        (payload,) = Point("path", "key").payloads(name, 1)
        assert target.staff.get(f"/admin/{name}/{quote(payload, safe='')}/change/").status_code < 500
        assert digest(OF_THE_READING | OF_THE_STAFF) == before


def test_every_operation_has_its_places(target: Target) -> None:
    """The walk finds the operations: none of the schema's is left out for another spelling of its path."""
    assert set(target.operations) <= set(ROUTES)
    assert {place.kind for name in ROUTES for place in target.places(name)} == {
        "body",
        "header",
        "path",
        "query",
    }


def test_every_payload_is_tried_somewhere(target: Target) -> None:
    """The places share them out so that none is left."""
    tried = {
        payload
        for name in READS
        for place in target.places(name)
        if place.kind == "query"
        for payload in place.payloads(name, counted(place))
    }
    assert tried == set(PAYLOADS)


@pytest.mark.django_db
def test_digest_sees_any_change() -> None:
    """One letter of one row, in whichever table, is another digest; also of what a trigger writes."""
    user = user_make()
    before = digest()
    User.objects.filter(pk=user.pk).update(name="Another")
    after = digest()
    assert {name for name in before if before[name] != after[name]} == {
        "accounts_user",
        "accounts_peoplestamp",
    }


@pytest.mark.django_db
def test_digest_would_see_sql_that_ran() -> None:
    """The payloads are live: one that is put into a statement changes what the digest looks at."""
    user_make()
    payload, before = "'; UPDATE accounts_user SET is_superuser = true; --", digest()
    assert payload in PAYLOADS
    with connection.cursor() as cursor:
        cursor.execute("SELECT '" + payload)
    assert digest() != before

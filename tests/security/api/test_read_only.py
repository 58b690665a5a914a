"""A frozen installation at the HTTP edge: reading goes on, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries as Counting
from pytest_django import DjangoDbBlocker

from accounts.models import User
from security import read_only
from security.read_only import standing
from security.services import read_only_end, read_only_start
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.actors import command
from tests.fixtures import ApiClient, client_make
from tests.oidc.tools import travel
from tests.permissions.table import ACTORS, TABLE, Row
from tests.permissions.test_table import Stage
from tests.rolled_back import transaction_of_many_tests, undone

pytestmark = pytest.mark.django_db
REASON = "Moving house until ten"
# What a reader needs to stay one and to be safe, and what only reads.
GO_ON = {
    "POST auth/login/",
    "POST auth/logout/",
    "POST auth/oidc/callback/",
    "POST auth/oidc/start/",
    "POST auth/passkeys/login/",
    "POST auth/passkeys/options/",
    "POST auth/refresh/",
    "POST auth/step-up/",
    "POST auth/step-up/options/",
    "POST render/",
    "DELETE me/sessions/",
    "DELETE me/sessions/{session}/",
    "DELETE me/tokens/{token}/",
    "DELETE service-accounts/{service}/tokens/{service_token}/",
}
WRITES = {row.name: row for row in TABLE if row.method != "GET"}
READS = [row for row in TABLE if row.method == "GET"]


@pytest.fixture(autouse=True)
def _own_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes this process know is no other's business."""
    monkeypatch.setattr(standing, "_value", standing._value)


def freeze(reason: str = REASON) -> None:
    """Freeze, and let this process know."""
    read_only_start(actor=command(), reason=reason)
    standing.refresh()


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """One for all rows: nothing of a row stays."""
    with transaction_of_many_tests(django_db_blocker):
        yield Stage()


def test_write_is_refused_with_the_reason(client_for: Any) -> None:
    """503 as a problem that says why, and when to come back."""
    client = client_for()
    freeze()
    answer = client.post("workspaces/", {"name": "World"})
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) == 60
    assert body == {
        "type": "/api/docs/errors/#read_only",
        "title": "Read-only for the time being",
        "status": 503,
        "detail": f"The installation is read-only: reading goes on, and nothing can be changed at present. "
        f"Reason: {REASON}",
        "instance": body["instance"],
        "code": "read_only",
        "error_type": "SystemError",
        "request_id": body["request_id"],
        "errors": [],
    }


def test_write_is_refused_without_a_reason(client_for: Any) -> None:
    """Where none was given the answer makes none up."""
    client = client_for()
    freeze("")
    assert "Reason" not in client.post("workspaces/", {"name": "World"}).json()["detail"]


def test_write_goes_on_when_it_is_over(client_for: Any) -> None:
    """The same request that was refused."""
    client = client_for()
    freeze()
    assert client.post("workspaces/", {"name": "World"}).status_code == 503
    read_only_end(actor=command())
    standing.refresh()
    assert client.post("workspaces/", {"name": "World"}).status_code == 201


def test_refused_creation_leaves_its_key_free(client_for: Any) -> None:
    """A client that sends it again with the same Idempotency-Key is served then."""
    client, key = client_for(), {"Idempotency_Key": "once"}
    freeze()
    assert client.post("workspaces/", {"name": "World"}, **key).status_code == 503
    read_only_end(actor=command())
    standing.refresh()
    assert client.post("workspaces/", {"name": "World"}, **key).status_code == 201


def test_routes_that_go_on_are_routes() -> None:
    """None is left over from a route that is gone."""
    assert WRITES.keys() >= GO_ON


@pytest.mark.parametrize("name", sorted(WRITES.keys() - GO_ON))
def test_write_is_refused_on_every_route(
    stage: Stage, name: str, django_assert_num_queries: Counting
) -> None:
    """To whoever asks, before the database is."""
    row = WRITES[name]
    with undone():
        freeze()
        for actor in ("anonymous", "outsider", "owner", "administrator"):
            with django_assert_num_queries(0):
                answer = stage.clients[actor].call(row.method, stage.filled(row.path), row.body)
            assert (answer.status_code, answer.json()["code"]) == (503, "read_only")


@pytest.mark.parametrize("name", sorted(GO_ON))
def test_what_goes_on_answers_as_before(stage: Stage, name: str) -> None:
    """Each kind of actor what the permission table promises."""
    row = WRITES[name]
    with undone():
        freeze()
        answers = {actor: stage.call(row, actor) for actor in ACTORS}
    assert answers == dict(zip(ACTORS, row.answers, strict=True))


def _counted(stage: Stage, row: Row) -> tuple[int, int]:
    with undone(), CaptureQueriesContext(connection) as queries:
        status = stage.call(row, "owner")
    return status, len(queries)


@pytest.mark.parametrize("row", READS, ids=lambda row: row.name)
def test_read_answers_as_before(stage: Stage, row: Row) -> None:
    """With as many queries."""
    with undone():
        stage.prepare(row.setup)
        _counted(stage, row)
        before = _counted(stage, row)
        freeze()
        assert _counted(stage, row) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["nothing/", "auth/login", "auth/login/more/", "me/sessions/a/b/", "//me/"])
def test_what_is_no_route_is_no_way_around(anonymous: ApiClient, method: str, path: str) -> None:
    """Only the very routes go on."""
    freeze()
    assert anonymous.call(method, path).status_code == 503


@pytest.mark.parametrize("header", ["X_HTTP_Method_Override", "X_HTTP_Method"])
def test_method_is_that_of_the_request(client_for: Any, header: str) -> None:
    """A GET that claims to be another is a GET."""
    client = client_for()
    freeze()
    assert client.get("me/", **{header: "DELETE"}).status_code == 200
    assert client.delete("me/", **{header: "GET"}).status_code == 503


def test_session_can_be_ended(client_for: Any) -> None:
    """A stolen one, by its owner from another."""
    stolen = client_for()
    own = client_make(stolen.user)
    freeze()
    assert own.delete(f"me/sessions/{stolen.credentials.session.uid}/").status_code == 204
    assert stolen.get("me/").status_code == 401


def test_token_can_be_ended(client_for: Any) -> None:
    """It opens nothing from then on."""
    client = client_for()
    body = {"name": "CLI", "scopes": ["documents:read"], "expires_at": "2027-01-01T00:00:00Z"}
    token = client.post("me/tokens/", body).json()
    freeze()
    assert client.delete(f"me/tokens/{token['id']}/").status_code == 204
    assert ApiClient(token["token"]).get("documents/").status_code == 401


def test_refresh_gives_the_next_pair(client_for: Any, anonymous: ApiClient) -> None:
    """A reader stays signed in for longer than an access token lives."""
    client = client_for()
    freeze()
    pair = anonymous.post("auth/refresh/", {"refresh": client.credentials.refresh})
    assert ApiClient(pair.json()["access"]).get("me/").status_code == 200


@pytest.mark.usefixtures("redis_gone")
def test_write_is_refused_without_redis(client_for: Any) -> None:
    """The state lies in PostgreSQL."""
    client = client_for()
    freeze()
    assert client.post("workspaces/", {"name": "World"}).json()["code"] == "read_only"


def test_stranger_from_the_provider_gets_no_account(anonymous: ApiClient, real: str) -> None:
    """Who has one signs in to read; somebody new is told to wait, and nothing of them is kept."""
    callback = "auth/oidc/callback/"
    anonymous.post(callback, travel(anonymous, "bea").body)
    freeze()
    assert anonymous.post(callback, travel(anonymous, "bea").body).status_code == 200
    refused = anonymous.post(callback, travel(anonymous, "ann").body)
    assert (refused.status_code, refused.json()["code"]) == (503, "read_only")
    known = User.objects.filter(email__in=["ann@example.org", "bea@example.org"])
    assert [user.email for user in known] == ["bea@example.org"]


def test_page_of_an_account_says_it_to_a_person(anonymous: ApiClient) -> None:
    """Not as JSON."""
    freeze()
    answer = anonymous.post("/account/verify/", {"token": "none"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert REASON in answer.content.decode()


def test_admin_is_for_looking_at() -> None:
    """Staff come in, see the banner, and are refused a change by a page that says why."""
    freeze("Moving <house>")
    browser, _ = staff_client(staff_make())
    assert "Read-only: nothing can be changed" in browser.get("/admin/").content.decode()
    refused = browser.post("/admin/security/iprule/add/", {"network": "192.0.2.1", "effect": "block"})
    assert refused.status_code == 503
    assert "Moving &lt;house&gt;" in refused.content.decode()
    assert browser.post("/admin/logout/").status_code in {200, 302}
    assert browser.get("/admin/").status_code == 302


def test_admin_has_no_banner_while_writing_goes_on() -> None:
    """Nothing to tell."""
    browser, _ = staff_client(staff_make())
    assert "Read-only" not in browser.get("/admin/").content.decode()


def test_shared_page_takes_its_password(client_for: Any, anonymous: ApiClient) -> None:
    """To read it; a change by the link is refused."""
    owner = client_for()
    room = owner.post("workspaces/", {"name": "World"}).json()["id"]
    page = owner.post("documents/", {"workspace": room, "title": "Page"}).json()["id"]
    body = {"role": "editor", "password": "correct-horse-battery-42"}
    secret = owner.post(f"documents/{page}/links/", body).json()["secret"]
    freeze()
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    raw = b"password=correct-horse-battery-42"
    assert anonymous.call("POST", f"/s/{secret}/", raw=raw, **form).status_code == 303
    assert anonymous.get(f"/s/{secret}/").status_code == 200
    assert anonymous.put(f"shared/{secret}/content/", {"content": "x"}).status_code == 503


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_says_nothing_of_it(anonymous: ApiClient, path: str) -> None:
    """The load balancer goes on sending readers."""
    freeze()
    answer = anonymous.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def _away() -> Any:
    raise OperationalError


def test_process_that_has_never_read_the_state_refuses_writes(
    client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be frozen; reading goes on."""
    client = client_for()
    monkeypatch.setattr(standing, "_load", _away)
    standing.forget()
    answer = client.post("workspaces/", {"name": "World"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert client.get("me/").status_code == 200


def test_process_that_fell_behind_asks_for_itself(client_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has read holds for so long: a timer that hangs lets nobody write into a freeze."""
    client = client_for()
    read_only_start(actor=command())
    assert client.post("workspaces/", {"name": "Before"}).status_code == 201
    monkeypatch.setattr(read_only, "FRESH", 0.0)
    assert client.post("workspaces/", {"name": "Behind"}).json()["code"] == "read_only"


def test_process_that_fell_behind_and_cannot_ask_refuses(
    client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it knew is no longer known."""
    client = client_for()
    monkeypatch.setattr(read_only, "FRESH", 0.0)
    monkeypatch.setattr(standing, "_load", _away)
    answer = client.post("workspaces/", {"name": "World"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_state_is_read_by_one_query(django_assert_num_queries: Counting) -> None:
    """Every two seconds, by each process."""
    with django_assert_num_queries(1):
        standing.refresh()

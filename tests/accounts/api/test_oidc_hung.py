"""auth/oidc/start/ while the provider takes its time: no request waits long for it, and most not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts import oidc_provider
from tests.fixtures import ApiClient
from tests.oidc.forger import Forger, forger

__all__ = ["forger"]

pytestmark = pytest.mark.django_db
START = "auth/oidc/start/"
METADATA = "/.well-known/openid-configuration"


class Hanging(dict[str, tuple[int, Any]]):
    """Answers that are kept back until somebody lets them go."""

    def __init__(self, answers: dict[str, tuple[int, Any]]) -> None:
        super().__init__(answers)
        self.let_go = threading.Event()
        self.came = threading.Semaphore(0)

    def __getitem__(self, path: str) -> tuple[int, Any]:
        self.came.release()
        self.let_go.wait(30)
        return super().__getitem__(path)


@pytest.fixture
def hang(forger: Forger) -> Iterator[Callable[[], Hanging]]:
    """Have the provider answer nothing from now on."""
    made: list[Hanging] = []

    def begin() -> Hanging:
        made.append(Hanging(forger.answers))
        forger.answers = made[-1]
        return made[-1]

    yield begin
    for each in made:
        each.let_go.set()


def start() -> Any:
    """Begin to sign in."""
    return ApiClient().post(START)


def renewal() -> None:
    """Wait for the thread that asks beside the requests."""
    for thread in threading.enumerate():
        if thread.name == "oidc-renewal":
            thread.join(30)


def aged(monkeypatch: pytest.MonkeyPatch, *limits: str) -> None:
    """What is known is older than these limits, in place of waiting."""
    for name in limits or ("_LIFETIME",):
        monkeypatch.setattr(oidc_provider, name, 0.0)


def test_start_at_a_provider_that_hangs(hang: Callable[[], Hanging], monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon a 503 that says whose fault it is and when to come back; the next ones don't wait at all."""
    monkeypatch.setattr(oidc_provider, "_PATIENCE", 0.3)
    hung, began = hang(), time.monotonic()
    answer = start()
    assert (answer.status_code, answer.json()["code"]) == (503, "oidc_unavailable")
    assert answer.headers["Retry-After"] == "10"
    assert 0.3 <= time.monotonic() - began < 3
    assert start().status_code == 503
    assert hung.came.acquire(blocking=False)
    assert not hung.came.acquire(blocking=False)


def test_start_waits_no_longer_than_its_patience() -> None:
    """It is far below the limit of all requests to elsewhere, and of what keeps a web thread."""
    assert oidc_provider._PATIENCE <= 5


def test_start_at_a_provider_that_hangs_after_an_hour(
    forger: Forger, hang: Callable[[], Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it said before still holds, at once and for everybody, while one thread asks anew."""
    assert start().status_code == 200
    aged(monkeypatch)
    hung = hang()
    began = time.perf_counter()
    assert [start().status_code for _ in range(3)] == [200, 200, 200]
    assert time.perf_counter() - began < oidc_provider._PATIENCE
    assert hung.came.acquire(timeout=10)
    assert not hung.came.acquire(blocking=False)
    forger.metadata["authorization_endpoint"] = f"{forger.issuer}/elsewhere"
    hung.let_go.set()
    renewal()
    assert start().json()["authorization_url"].startswith(f"{forger.issuer}/elsewhere")


def test_start_goes_on_when_asking_anew_fails(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is forgotten for it, and the provider is left alone for moments."""
    start()
    aged(monkeypatch)
    forger.answers[METADATA] = (500, {})
    for _ in range(3):
        assert start().status_code == 200
        renewal()
    assert forger.asked.count(METADATA) == 2


def test_start_does_not_live_on_old_news_for_ever(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day without a word from the provider nobody is sent there."""
    start()
    aged(monkeypatch, "_LIFETIME", "_STALE_FOR")
    forger.answers[METADATA] = (500, {})
    assert start().status_code == 503


def test_keys_are_not_used_beyond_their_hour(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the provider may have withdrawn signs nobody in."""
    client = ApiClient()
    assert client.post("auth/oidc/callback/", forger.begin(client).body).status_code == 200
    trip = forger.begin(client)
    aged(monkeypatch)
    forger.answers["/keys"] = (500, {})
    assert client.post("auth/oidc/callback/", trip.body).json()["code"] == "oidc_unavailable"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_ask_once(forger: Forger, hang: Callable[[], Hanging]) -> None:
    """Whoever comes while the first one waits gets its answer."""
    hung = hang()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(start) for _ in range(4)]
        assert hung.came.acquire(timeout=10)
        hung.let_go.set()
        assert [answer.result(30).status_code for answer in answers] == [200] * 4
    assert forger.asked.count(METADATA) == 1

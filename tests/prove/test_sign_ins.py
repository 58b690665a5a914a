"""Sign-in under load and under bad luck: what takes too many tries for the suite."""

from __future__ import annotations

import functools
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import Session
from tests.accounts.factories import user_make
from tests.documents.api.test_editing_races import at_once
from tests.fixtures import ApiClient, client_make
from tests.security.serving import served

ROUNDS, RACERS, LOST = 10, 64, 100
SECONDS = 8.0
READS = 60
STORM = pathlib.Path(__file__).with_name("sign_in_storm.py")


def refresh(token: str) -> Any:
    """One use of a refresh token; again while the server is too busy."""
    answer = ApiClient().post("auth/refresh/", {"refresh": token})
    while answer.status_code == 503:
        answer = ApiClient().post("auth/refresh/", {"refresh": token})
    return answer


@pytest.mark.django_db(transaction=True)
def test_refresh_sixty_four_at_once_ten_times_leave_one_live_token(
    client_for: Callable[..., ApiClient],
) -> None:
    """Whoever races gets the same successor, round after round, and the session lives on."""
    client = client_for(user_make())
    assert client.credentials is not None
    token = client.credentials.refresh
    for number in range(1, ROUNDS + 1):
        answers = at_once([functools.partial(refresh, token)] * RACERS)
        assert [answer.status_code for answer in answers] == [200] * RACERS
        (token,) = {answer.json()["refresh"] for answer in answers}
        assert Session.objects.get().counter == number
    assert Session.objects.get().revoked_at is None


@pytest.mark.django_db(transaction=True)
def test_refresh_hundred_lost_answers_sign_nobody_out(client_for: Callable[..., ApiClient]) -> None:
    """Each answer is lost once, the client asks again and goes on with what it gets."""
    client = client_for(user_make())
    assert client.credentials is not None
    token = client.credentials.refresh
    for _ in range(LOST):
        lost, again = refresh(token), refresh(token)
        assert (lost.status_code, again.status_code) == (200, 200)
        assert lost.json()["refresh"] == again.json()["refresh"]
        token = again.json()["refresh"]
    assert ApiClient(again.json()["access"]).get("me/").status_code == 200


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """Two workers of four threads, as `make run` has."""
    with served(2, 4, {"CLOUDSCRIBE_AUTOBLOCK_SCORE": "0"}) as port:
        yield port


def latencies(port: int, token: str | None, until: Callable[[], bool]) -> list[float]:
    """Seconds that one read after another took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    while not until():
        began = time.perf_counter()
        connection.request("GET", "/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        taken.append(time.perf_counter() - began)
        time.sleep(0.005)  # a reader, not a load
    return taken


def test_reads_go_on_beside_fifty_sign_ins(port: int) -> None:
    """Hashing takes what is left: the 95th percentile of reads stays within three times."""
    token = client_make().token
    end = time.monotonic() + SECONDS
    alone = latencies(port, token, lambda: time.monotonic() > end)
    command = [sys.executable, str(STORM), str(port), str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as storm:
        beside = latencies(port, token, lambda: storm.poll() is not None)
        assert storm.stdout is not None
        answers = {int(status): times for status, times in json.load(storm.stdout).items()}
    assert len(beside) >= READS
    assert answers.get(401, 0) >= 50
    quiet, busy = (statistics.quantiles(found, n=20)[-1] for found in (alone, beside))
    sys.stdout.write(
        f"p95 {quiet * 1000:.1f} ms alone, {busy * 1000:.1f} ms beside {answers}: {busy / quiet:.1f}\n"
    )
    assert busy <= 3 * quiet

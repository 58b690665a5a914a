"""What a request has made is gone with its answer: bodies would else stay until Python looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import RequestFactory
from django.test.client import ClientHandler

from tests.documents.world import World

Answer = tuple[int, str | None]


class Asking(RequestFactory):
    """Requests that nothing remembers, with the status and the ETag of their answers."""

    handler = ClientHandler()

    def request(self, **environ: Any) -> Answer:
        """What the application answers, all of it thrown away."""
        answer = self.handler(self._base_environ(**environ))
        return answer.status_code, answer.headers.get("ETag")


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Python looks for garbage only where the test has it look."""
    gc.disable()
    yield
    gc.enable()


def _read(asking: Asking, document: str, **_: Any) -> Answer:
    return asking.get(document)


def _held(asking: Asking, document: str, **more: Any) -> Answer:
    return asking.get(document, HTTP_IF_NONE_MATCH=_read(asking, document)[1])


def _list(asking: Asking, **_: Any) -> Answer:
    return asking.get("/api/v1/documents/")


def _search(asking: Asking, **_: Any) -> Answer:
    return asking.get("/api/v1/search/", {"q": "page"})


def _create(asking: Asking, workspace: str, **_: Any) -> Answer:
    body = {"workspace": workspace, "title": "Another"}
    return asking.post("/api/v1/documents/", body, content_type="application/json")


def _update(asking: Asking, document: str, **_: Any) -> Answer:
    etag = _read(asking, document)[1]
    return asking.patch(document, {"content": etag}, content_type="application/json", HTTP_IF_MATCH=etag)


def _wrong_input(asking: Asking, **_: Any) -> Answer:
    return asking.post("/api/v1/documents/", {"titel": "x"}, content_type="application/json")


def _not_found(asking: Asking, document: str, **_: Any) -> Answer:
    return asking.get(document.replace("/documents/", "/workspaces/"))


def _wrong_method(asking: Asking, **_: Any) -> Answer:
    return asking.delete("/api/v1/documents/")


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (_read, 200),
        (_held, 304),
        (_list, 200),
        (_search, 200),
        (_create, 201),
        (_update, 200),
        (_wrong_input, 400),
        (_not_found, 404),
        (_wrong_method, 405),
    ],
)
def test_request_leaves_no_garbage(
    world: World, no_collector: None, ask: Callable[..., Answer], status: int
) -> None:
    """Once it has been answered a first time, when Python learns much that it keeps."""
    document = f"/api/v1/documents/{world.document()}/"
    asking = Asking(HTTP_AUTHORIZATION=f"Bearer {world.owner.token}")
    about = {"document": document, "workspace": world.workspace}
    ask(asking, **about)
    gc.collect()
    assert ask(asking, **about)[0] == status
    assert gc.collect() == 0

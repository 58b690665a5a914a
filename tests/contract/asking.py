"""What schemathesis asks the application, by the committed schema, and who asks it."""

from __future__ import annotations

import pathlib
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import override_settings
from pytest_django import DjangoDbBlocker
from schemathesis.config import (
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.specs.openapi import checks

from accounts.actors import actor_for_command
from accounts.roles import ADMINISTRATOR, role_give
from cloudscribe.jobs.services import job_enqueue
from documents.queues import SEARCH_INDEX
from tests.documents.world import World, uid_of
from tests.fixtures import client_make
from tests.rolled_back import transaction_of_many_tests, undone

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.ignored_auth,
]


def schema_ask(*, made_up: int) -> Any:
    """The schema in docs/, answered for by the application.

    Its cases are the examples, the edges of what each operation takes, and so many that are made up.
    """
    generation = GenerationConfig(max_examples=max(made_up, 1), deterministic=True, no_shrink=True)
    phases = PhasesConfig(fuzzing=FuzzingPhaseConfig(enabled=made_up > 0))
    made = schemathesis.openapi.from_path(
        pathlib.Path(settings.BASE_DIR, "docs/openapi.yaml"),
        config=SchemathesisConfig(
            projects=ProjectsConfig(default=ProjectConfig(generation=generation, phases=phases))
        ),
    )
    made.app = get_wsgi_application()
    return made


class Place:
    """A small world and a person who owns it, with the ids that take the place of made-up ones."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self.world = world = World(client_make)
        page = world.document("Page", content="# Page\n\nwords\n", tags=["a"])
        etag = world.owner.get(f"documents/{page}/").headers["ETag"]
        world.ok(world.owner.patch(f"documents/{page}/", {"content": "other\n"}, **{"If-Match": etag}))
        self.etag = world.owner.get(f"documents/{page}/").headers["ETag"]
        world.document("Child", parent=page)
        world.ok(world.act(world.document("Trashed"), "trash"))
        other = world.member("editor")
        assert world.owner.user is not None
        job = job_enqueue(actor=actor_for_command(world.owner.user, "tests"), kind=SEARCH_INDEX, payload={})
        role_give(world.owner.user, ADMINISTRATOR)
        team = world.ok(world.owner.post("teams/", {"name": "Team"}), 201)["id"]
        world.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(other)}), 201)
        members = world.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
        self.ids = {
            "workspaces": world.workspace,
            "documents": page,
            "jobs": str(job.uid),
            "sessions": world.ok(world.owner.get("me/sessions/"))["results"][0]["id"],
            "members": next(row["id"] for row in members if row["user"] == uid_of(other)),
            "grants": world.grant(page, other, "viewer")["id"],
            "teams": team,
            "users": uid_of(other),
        }

    def ask(self, case: schemathesis.Case[Any]) -> None:
        """Send the case and judge the answer; what it changed is undone."""
        self._fill(case)
        headers = {"Authorization": f"Bearer {self.world.owner.token}"}
        with undone():
            case.call_and_validate(headers=headers, checks=CHECKS)

    def is_news(self, case: schemathesis.Case[Any], every: int, share: int) -> bool:
        """Whether the case is the first of its kind for its operation, or one of each so many after it.

        Kinds are schemathesis's scenarios: a value of the wrong type, a string that is too long. An operation
        is asked one of `share` of them, another one others, and each what comes first.
        """
        operation = case.operation.label
        kind = f"{operation} {getattr(case.meta and case.meta.phase.data, 'scenario', None)}"
        is_first = not self._asked[operation]
        self._asked.update((operation, kind))
        is_due = self._asked[kind] % every == 1 % every
        return is_due and (is_first or zlib.crc32(kind.encode()) % share == 0)

    def _fill(self, case: schemathesis.Case[Any]) -> None:
        """Put the world's ids where the case made up some, and the version of now into If-Match."""
        parts = case.operation.path.split("/")
        for name, value in (case.path_parameters or {}).items():
            place = "users" if name == "user" else parts[parts.index(f"{{{name}}}") - 1]
            if isinstance(value, str) and UUID.fullmatch(value) and place in self.ids:
                case.path_parameters[name] = self.ids[place]
        if isinstance(case.body, dict):
            for name, place in (("workspace", "workspaces"), ("parent", "documents"), ("user", "users")):
                value = case.body.get(name)
                if isinstance(value, str) and UUID.fullmatch(value):
                    case.body[name] = self.ids[place]
        if "If-Match" in (case.headers or {}) and case.operation.path.endswith("documents/{id}/"):
            case.headers["If-Match"] = self.etag


@contextmanager
def place_open(blocker: DjangoDbBlocker) -> Iterator[Place]:
    """One world for all operations: each request is rolled back."""
    with override_settings(RATELIMIT_ENABLE=False), transaction_of_many_tests(blocker):
        made = Place()
        # As Django's own test client does: they would close the connection, and with it the transaction.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        yield made
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def name_again(request: pytest.FixtureRequest) -> None:
    """Set the attribute by which schemathesis knows a test's name, and which pytest has renamed."""
    request.node._nodeid = request.node.nodeid

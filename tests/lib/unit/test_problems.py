"""Exceptions of every make as refusals."""

from __future__ import annotations

import psycopg
import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from django.http import Http404
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import exceptions
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError

from cloudscribe.lib.errors import Locked, NotFound, problem_body, status_name
from cloudscribe.lib.problems import problem_of


def _caused(kind: type[DatabaseError], cause: type[psycopg.Error]) -> DatabaseError:
    error = kind("secret detail")
    error.__cause__ = cause("secret detail")
    return error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Locked(), 423, "locked"),
        (Http404("secret"), 404, "not_found"),
        (exceptions.NotFound("secret detail"), 404, "not_found"),
        (PermissionDenied("secret"), 403, "permission_denied"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not_authenticated"),
        (InvalidToken(), 401, "not_authenticated"),
        (TokenError("secret"), 401, "not_authenticated"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
        (exceptions.ParseError("bad"), 400, "malformed_body"),
        (exceptions.Throttled(3.2), 429, "rate_limited"),
        (exceptions.APIException("secret"), 500, "internal_error"),
        (RequestDataTooBig(), 413, "too_large"),
        (SuspiciousOperation("secret"), 400, "bad_request"),
        (ValidationError("bad", code="bad"), 400, "invalid"),
        (RedisConnectionError("secret"), 503, "unavailable"),
        (OperationalError("secret"), 503, "unavailable"),
        (InterfaceError("secret"), 503, "unavailable"),
        (psycopg.OperationalError("secret"), 503, "unavailable"),
        (_caused(OperationalError, psycopg.errors.QueryCanceled), 503, "timeout"),
        (_caused(OperationalError, psycopg.errors.LockNotAvailable), 503, "timeout"),
        (_caused(OperationalError, psycopg.errors.DeadlockDetected), 503, "unavailable"),
        (_caused(OperationalError, psycopg.errors.AdminShutdown), 503, "unavailable"),
        (_caused(OperationalError, psycopg.errors.DiskFull), 507, "storage_full"),
        (psycopg.errors.QueryCanceled("secret"), 503, "timeout"),
        (_caused(DataError, psycopg.errors.NumericValueOutOfRange), 400, "invalid"),
        (DataError("PostgreSQL text fields cannot contain NUL"), 400, "invalid"),
        (_caused(IntegrityError, psycopg.errors.UniqueViolation), 409, "conflict"),
        (_caused(ProgrammingError, psycopg.errors.UndefinedTable), 500, "internal_error"),
        (RuntimeError("secret"), 500, "internal_error"),
    ],
)
def test_problem_of_knows_every_exception_and_tells_nothing_internal(
    error: Exception, status: int, code: str
) -> None:
    """Status and code are fixed, and what the exception says stays in the log."""
    problem = problem_of(error)
    body = problem_body(problem)
    assert (body["status"], body["code"]) == (status, code)
    assert "secret" not in str(body)
    assert ("Retry-After" in problem.headers) == (status in {429, 503})


def test_problem_of_throttled_rounds_the_wait_up() -> None:
    """Whoever comes back after Retry-After is let in."""
    assert problem_of(exceptions.Throttled(3.2)).headers == {"Retry-After": "4"}


def test_not_found_is_the_same_whatever_was_missing() -> None:
    """Hidden and absent can't be told apart by their bodies."""
    bodies = [
        problem_body(problem_of(error)) for error in (Http404("a"), exceptions.NotFound("b"), NotFound())
    ]
    assert bodies[0] == bodies[1] == bodies[2]


def test_problem_of_validation_error_of_a_model_points_at_its_fields() -> None:
    """Django's own validation names fields, too."""
    problem = problem_of(ValidationError({"name": [ValidationError("bad", code="worse")], "__all__": ["no"]}))
    assert [(fault.pointer, fault.code) for fault in problem.errors] == [("/name", "worse"), ("", "invalid")]


def test_statuses_have_the_same_names_under_every_python() -> None:
    """Those of RFC 9110; Python took them over with 3.13, and the reference must not depend on it."""
    names = [status_name(status) for status in (404, 413, 416, 422)]
    assert names == ["Not Found", "Content Too Large", "Range Not Satisfiable", "Unprocessable Content"]

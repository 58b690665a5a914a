"""The system checks of security; no database."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import Error

from cloudscribe.lib.keyring import KeyRing
from security.checks import check_debug, check_deployment, check_outgoing, check_proxies

HOST = "docs.example.org"
# What an operator sets for people on the Internet.
PRODUCTION = {
    "CLOUDSCRIBE_PUBLIC_URL": f"https://{HOST}",
    "CLOUDSCRIBE_ALLOWED_HOSTS": HOST,
    "CLOUDSCRIBE_TRUSTED_PROXIES": "10.1.2.0/24",
    "CLOUDSCRIBE_METRICS_TOKEN": "a-token-of-the-collector",
    "DATABASE_URL": "postgres://cloudscribe@db.example.org/cloudscribe",
    "DATABASE_OWNER_URL": "postgres://cloudscribe_owner@db.example.org/cloudscribe",
    "REDIS_URL": "redis://redis.example.org/0",
    "EMAIL_URL": "smtp+tls://mailer:password@mail.example.org:587",
}
ROOT = pathlib.Path(__file__).resolve().parents[3]


def ids(found: list[Any]) -> set[str]:
    """What was found."""
    return {message.id for message in found}


@pytest.fixture
def production(settings: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings in which nothing is to be found."""
    monkeypatch.delenv("CLOUDSCRIBE_BIND", raising=False)
    settings.PUBLIC_URL, settings.SECURE, settings.ALLOWED_HOSTS = f"https://{HOST}", True, [HOST]
    settings.TRUSTED_PROXIES, settings.METRICS_TOKEN = ["10.1.2.0/24"], "token"
    settings.RATELIMIT_ENABLE, settings.DATABASE_ROLES_ARE_ONE, settings.DEBUG = True, False, False
    settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_HOST_PASSWORD = "smtp", "mail.example.org", "pw"
    settings.EMAIL_USE_TLS, settings.REGISTRATION, settings.SENTRY_DSN = True, "open", "https://k@e.example/1"
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2idHasher"]
    settings.DATA_DIR = tmp_path
    assert not [*check_proxies(), *check_debug(), *check_deployment()]
    return settings


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        (["10.0.0.0/8", "unix", "fd00::/16"], set()),
        (["proxy"], {"security.E001"}),
        (["0.0.0.0/0"], {"security.E002"}),
        (["::/0"], {"security.E002"}),
        (["0.0.0.0/1", "128.0.0.0/1"], {"security.E002"}),
        (["10.1.2.0/24", "2000::/3"], {"security.E002"}),
    ],
)
def test_checks_name_bad_proxies(settings: Any, proxies: list[str], expected: set[str]) -> None:
    """What is no network, and what is everybody, in one piece or in several."""
    settings.TRUSTED_PROXIES = proxies
    assert ids(check_proxies()) == expected


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        (["10.0.0.0/8", "10.1.2.3/32:8443", "[fd00::/16]:8080"], set()),
        (["intranet"], {"security.E004"}),
        (["10.0.0.0/8:https"], {"security.E004"}),
        (["0.0.0.0/0:8443"], {"security.E005"}),
        (["::/0"], {"security.E005"}),
    ],
)
def test_checks_name_bad_networks_of_requests(settings: Any, allow: list[str], expected: set[str]) -> None:
    """What is no network, and what opens this machine, too."""
    settings.OUTGOING_ALLOW = allow
    assert ids(check_outgoing()) == expected


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("security.W101", {"SECURE": False}),
        ("security.W102", {"RATELIMIT_ENABLE": False}),
        ("security.W103", {"DATABASE_ROLES_ARE_ONE": True}),
        ("security.W104", {"ALLOWED_HOSTS": ["*"]}),
        ("security.W105", {"TRUSTED_PROXIES": []}),
        ("security.W106", {"METRICS_TOKEN": None}),
        ("security.W107", {"KEY_RING": KeyRing("k", {"k": bytes(32)})}),
        ("security.W108", {"PASSWORD_HASHERS": ["tests.hashers.QuickHasher"]}),
        ("security.W108", {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}),
        ("security.W110", {"EMAIL_USE_TLS": False}),
        ("security.W111", {"EMAIL_URL": ""}),
        ("security.W112", {"SENTRY_DSN": "http://k@errors.example.org/1"}),
    ],
)
def test_checks_name_each_unsafe_setting(production: Any, expected: str, changes: dict[str, Any]) -> None:
    """Each by its own message, which says what to do."""
    for name, value in changes.items():
        setattr(production, name, value)
    (found,) = check_deployment()
    assert found.id == expected
    assert found.hint


def test_checks_refuse_debug_at_a_public_address(production: Any) -> None:
    """Not a warning: no command runs, the web server's migration neither."""
    production.DEBUG = True
    (found,) = check_debug()
    assert (found.id, type(found)) == ("security.E003", Error)
    assert found.hint
    production.PUBLIC_URL = "http://127.0.0.1:8000"
    assert not check_debug()


def test_checks_ask_for_a_token_where_others_reach_the_port(
    production: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this machine alone /metrics needs none."""
    production.PUBLIC_URL, production.METRICS_TOKEN = "http://localhost:8000", None
    assert not check_deployment()
    monkeypatch.setenv("CLOUDSCRIBE_BIND", "::")
    assert ids(check_deployment()) == {"security.W106"}


def test_checks_see_a_secrets_file_that_others_can_read(production: Any) -> None:
    """A backup tool that restores it with another mode opens every account."""
    file = production.DATA_DIR / "secrets.json"
    file.write_text("{}")
    file.chmod(0o600)
    assert not check_deployment()
    file.chmod(0o640)
    assert ids(check_deployment()) == {"security.W109"}


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost", "::1"])
def test_checks_let_a_mail_server_of_this_machine_be_plain(production: Any, server: str) -> None:
    """Nobody listens on the way."""
    production.EMAIL_USE_TLS, production.EMAIL_HOST = False, server
    assert not check_deployment()


def managed(*arguments: str, data: pathlib.Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """One command under production's variables and no others of ours."""
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDSCRIBE_", "DATABASE_")) and name not in {"REDIS_URL", "EMAIL_URL"}
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**others, **PRODUCTION, "CLOUDSCRIBE_DATA": str(data), **changes},
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_deploy_is_clean_in_production(tmp_path: pathlib.Path) -> None:
    """Django's own checks and ours, without a server."""
    done = managed("check", "--deploy", "--fail-level", "WARNING", data=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_deploy_fails_where_production_is_not_safe(tmp_path: pathlib.Path) -> None:
    """The same by its exit code, with the message and what to do."""
    done = managed(
        "check", "--deploy", "--fail-level", "WARNING", data=tmp_path, CLOUDSCRIBE_ALLOWED_HOSTS="*"
    )
    assert done.returncode == 1
    assert "security.W104" in done.stderr
    assert "HINT" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("CLOUDSCRIBE_SECRET_KEY", "short"), ("CLOUDSCRIBE_KEYS", '{"active": "k"}')]
)
def test_settings_refuse_a_bad_secret(tmp_path: pathlib.Path, name: str, value: str) -> None:
    """Nothing starts with it; the message names the variable and doesn't show the value."""
    done = managed("check", data=tmp_path, **{name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert value not in done.stderr

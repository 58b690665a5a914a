"""An OpenID Connect provider of another make, django-oauth-toolkit, in a process and a database of its own.

`python -m tests.oidc.provider FOLDER REDIRECT_URL` prints its issuer, as soon as it answers. People there are
whom the header Remote-User names, as behind a proxy that signs them in.
"""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

CLIENT_ID = "cloudscribe"
CLIENT_SECRET = "kept by both sides: 4+4=8%, as ever"


def _settings(folder: pathlib.Path) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "SECRET_KEY": "of a provider that lives for a test",
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "ROOT_URLCONF": "tests.oidc.provider_urls",
        "DATABASES": {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.sqlite"}
        },
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "tests.oidc.provider_urls.RemotePerson",
        ],
        "AUTHENTICATION_BACKENDS": ["tests.oidc.provider_urls.RemoteBackend"],
        "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        # Its tables are made at once, as the models are now.
        "MIGRATION_MODULES": dict.fromkeys(("auth", "contenttypes", "sessions", "oauth2_provider")),
        # The client's secret is hashed and, at each visit, compared: how slowly is no concern of ours.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "USE_TZ": True,
        "OAUTH2_PROVIDER": {
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem.decode(),
            "OAUTH2_VALIDATOR_CLASS": "tests.oidc.provider_urls.Validator",
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "", "email": "", "profile": ""},
        },
    }


class _Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def main(folder: str, redirect_url: str) -> None:
    """Serve until killed."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    settings.configure(**_settings(pathlib.Path(folder)))
    django.setup()
    from oauth2_provider.models import Application  # noqa: PLC0415 (models are there only now)

    call_command("migrate", run_syncdb=True, verbosity=0)
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=redirect_url,
        skip_authorization=True,
        algorithm="RS256",
    )
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 (what the starter reads)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

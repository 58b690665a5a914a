"""Every setting of CloudScribe, from typed environment variables that fail loudly (cloudscribe.lib.env)."""

from __future__ import annotations

import datetime as dt
import pathlib
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from cloudscribe import observing, presentation, storing
from cloudscribe.lib import env
from cloudscribe.lib.connections import cache_config, database_config, queue_config, redis_url
from cloudscribe.lib.keyring import KeyRing, KeyRingError
from cloudscribe.observing import *  # noqa: F403 (settings of logs, metrics and errors, by its __all__)
from cloudscribe.recording import *  # noqa: F403 (settings of the trail, by its __all__)
from cloudscribe.storing import *  # noqa: F403 (settings of files, by its __all__)
from cloudscribe.telling import *  # noqa: F403 (settings of webhooks, by its __all__)

BASE_DIR = pathlib.Path(__file__).resolve().parent.parent

# --- Where things are -----------------------------------------------------------------------------
DATA_DIR = pathlib.Path(
    env.text(
        "CLOUDSCRIBE_DATA", str(BASE_DIR / "var"), "Folder of data, mail, logs and sockets.", shown="var/"
    )
).resolve()
PUBLIC_URL = env.text(
    "CLOUDSCRIBE_PUBLIC_URL",
    f"http://127.0.0.1:{env.integer('PORT', 8000, 'Port that `make run` serves on.')}",
    "Address under which people reach CloudScribe; it stands in mails and links.",
    shown="http://127.0.0.1:PORT",
).rstrip("/")
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "media/"
STATIC_URL = "/static/"
STATIC_ROOT = pathlib.Path(
    env.text(
        "CLOUDSCRIBE_STATIC_ROOT", str(DATA_DIR / "static"), "Folder of collected assets.", shown="var/static"
    )
)
PROCESS_KIND = observing.PROCESS_KIND

# --- Secrets --------------------------------------------------------------------------------------
SECRET_KEY = env.secret(
    "CLOUDSCRIBE_SECRET_KEY", "Key of Django's signers, 50 characters or more; made by `make run`."
)
_ring = env.secret(
    "CLOUDSCRIBE_KEYS",
    'Key ring of tokens, `{"active": kid, "keys": {kid: base64 of 32 bytes}}`; made by `make run`.',
)
if not SECRET_KEY or not _ring:
    raise ImproperlyConfigured(
        "CLOUDSCRIBE_SECRET_KEY and CLOUDSCRIBE_KEYS must be set; `make run` makes both."
    )
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("CLOUDSCRIBE_SECRET_KEY needs at least 50 characters.")
try:
    KEY_RING = KeyRing.parse(_ring)
except KeyRingError as error:
    raise ImproperlyConfigured(f"CLOUDSCRIBE_KEYS: {error}") from error

# --- Web ------------------------------------------------------------------------------------------
DEBUG = env.boolean("CLOUDSCRIBE_DEBUG", default=False, meaning="Django's debug mode, for development alone.")
ALLOWED_HOSTS = env.listing("CLOUDSCRIBE_ALLOWED_HOSTS", ["*"], "Host names that are answered.")
TRUSTED_PROXIES = env.listing(
    "CLOUDSCRIBE_TRUSTED_PROXIES", [], "CIDRs of proxies whose X-Forwarded-For counts."
)
SECURE = urlsplit(PUBLIC_URL).scheme == "https"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# Behind a proxy the scheme comes in X-Forwarded-Proto, which the client address middleware drops unless the
# proxy is trusted; the proxy redirects to https, so that health checks inside the network stay plain.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = False
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = presentation.CONTENT_SECURITY_POLICY
CSP_WIDER = presentation.CSP_WIDER
SESSION_ENGINE = "accounts.staff_sessions"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
APPEND_SLASH = False

ROOT_URLCONF = "cloudscribe.urls"
WSGI_APPLICATION = "cloudscribe.wsgi.application"

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "cloudscribe.admin_site.AdminConfig",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "auditlog",
    "csp",
    "cloudscribe",
    "cloudscribe.jobs",
    "cloudscribe.jobs.rq_app.QueuesConfig",
    "audit",
    "security",
    "accounts",
    "documents",
]

MIDDLEWARE = [
    "cloudscribe.lib.observability.middleware.RequestMiddleware",
    "security.middleware.ClientAddressMiddleware",
    "security.middleware.HeadersMiddleware",
    "security.middleware.IPRulesMiddleware",
    "security.middleware.CoarseLimitMiddleware",
    "security.middleware.ReadOnlyMiddleware",
    "cloudscribe.lib.gate.RequestGate",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Sessions, CSRF and messages belong to the admin alone: API routes carry none of them.
    "cloudscribe.lib.middleware.AdminOnlyMiddleware",
]
if observing.OTEL_ENDPOINT:
    MIDDLEWARE.insert(1, "cloudscribe.lib.observability.tracing.TraceMiddleware")
ADMIN_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.AdminSessionMiddleware",
    "security.middleware.AdminLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
STORAGES = {
    "default": storing.STORAGE,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Without collected assets (development, tests) they are served from the packages themselves.
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
if WHITENOISE_USE_FINDERS:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# --- PostgreSQL -----------------------------------------------------------------------------------
_app_url = env.text(
    "DATABASE_URL",
    "",
    "PostgreSQL of the application's role; without it the embedded server is used.",
    shown="embedded",
)
_owner_url = env.text(
    "DATABASE_OWNER_URL",
    _app_url,
    "The same database by the role that owns all objects, for migrations.",
    shown="DATABASE_URL",
)
_role = env.text(
    "CLOUDSCRIBE_DATABASE_ROLE",
    "app",
    "Which of both roles a command uses; set by manage.py.",
    choices=("app", "owner"),
)
DATABASES = {"default": database_config(_owner_url if _role == "owner" else _app_url, PROCESS_KIND)}
APP_DATABASE = database_config(_app_url, PROCESS_KIND)
APP_DATABASE_ROLE = str(APP_DATABASE.get("USER") or "")
DATABASE_ROLES_ARE_ONE = str(database_config(_owner_url, PROCESS_KIND).get("USER") or "") == APP_DATABASE_ROLE
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis ----------------------------------------------------------------------------------------
REDIS_URL = env.text(
    "REDIS_URL",
    "",
    "Redis or Valkey, `redis://…` or `unix://…?db=N`; databases N, N+1 and N+2 are used. "
    "Without it the embedded server is used.",
    shown="embedded",
)
REDIS_TIMEOUT = env.seconds("CLOUDSCRIBE_REDIS_TIMEOUT", 0.3, "Longest wait for an answer of Redis.")

CACHES = {
    "default": cache_config(redis_url(REDIS_URL, 0), "cs1", REDIS_TIMEOUT),
    "ratelimit": {
        **cache_config(redis_url(REDIS_URL, 1), "cs1rl", REDIS_TIMEOUT),
        "BACKEND": "security.counting.CountingCache",
    },
    "sessions": cache_config(redis_url(REDIS_URL, 0), "cs1s", REDIS_TIMEOUT),
}
SESSION_CACHE_ALIAS = "sessions"
RATELIMIT_USE_CACHE = "ratelimit"
RATELIMIT_ENABLE = env.boolean(
    "RATELIMIT_ENABLE", default=True, meaning="General rate limits; those on guessing stay on."
)
COARSE_LIMIT = env.integer(
    "CLOUDSCRIBE_COARSE_LIMIT", 3000, "Requests of one address in 10 s that one process answers.", least=1
)
AUTOBLOCK_SCORE = env.integer(
    "CLOUDSCRIBE_AUTOBLOCK_SCORE",
    1000,
    "Refusals by limits, each attempt at a sign-in as five and halved each hour, that block an address for a "
    "while; 0 never does.",
    least=0,
)
SILENCED_SYSTEM_CHECKS = [
    # The admin's middleware runs inside AdminOnlyMiddleware, where these checks don't look.
    "admin.E408",
    "admin.E409",
    "admin.E410",
    "guardian.W001",  # our own backend resolves object rights with inheritance (documents.backends)
    "django_ratelimit.E003",  # knows Django's own cache backends only; django-redis increments atomically
    "django_ratelimit.W001",
    # Our HeadersMiddleware sets what SecurityMiddleware would, on every answer; frames and CSRF are the
    # admin's and looked after inside AdminOnlyMiddleware.
    "security.W001",
    "security.W002",
    "security.W003",
    "security.W008",  # the redirect to https is the proxy's: health checks inside the network stay plain
]
_bells = queue_config(redis_url(REDIS_URL, 2), PROCESS_KIND, REDIS_TIMEOUT)
RQ_QUEUES = {"fast": _bells, "slow": _bells}
RQ = {"COMMIT_MODE": "auto"}  # jobs ring after the commit themselves
RQ_SHOW_ADMIN_LINK = False  # lets all staff in; cloudscribe.jobs.admin_queues has its pages

# --- Sign-in --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend", "documents.backends.DocumentRightsBackend"]
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = ["accounts.hashers.Argon2idHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.validators.MaximumLengthValidator", "OPTIONS": {"max_length": 128}},
]
REGISTRATION = env.text(
    "CLOUDSCRIBE_REGISTRATION", "open", "Who may register.", choices=("open", "invite", "closed")
)
ACCESS_TOKEN_LIFETIME = env.seconds(
    "CLOUDSCRIBE_ACCESS_TOKEN_LIFETIME", 600, "Life of an access token, 600 at most."
)
REFRESH_GRACE = env.seconds(
    "CLOUDSCRIBE_REFRESH_GRACE", 60, "How long a used refresh token gives its successor again, 60 at most."
)
SESSION_IDLE_LIFETIME = env.seconds(
    "CLOUDSCRIBE_SESSION_IDLE_LIFETIME", 14 * 86_400, "A session unused ends after."
)
SESSION_LIFETIME = env.seconds(
    "CLOUDSCRIBE_SESSION_LIFETIME", 90 * 86_400, "A session ends after, used or not."
)
VERIFICATION_LIFETIME = env.seconds(
    "CLOUDSCRIBE_VERIFICATION_LIFETIME", 3 * 86_400, "Life of a mailed token."
)
INVITATION_LIFETIME = env.seconds(
    "CLOUDSCRIBE_INVITATION_LIFETIME", 7 * 86_400, "Life of an invitation after each of its mails."
)
ACCESS_REQUEST_LIFETIME = env.seconds(
    "CLOUDSCRIBE_ACCESS_REQUEST_LIFETIME", 14 * 86_400, "Life of a request for access."
)
LINK_VISIT_LIFETIME = env.seconds(
    "CLOUDSCRIBE_LINK_VISIT_LIFETIME", 3600, "What follows the opening of a share link is one visit for."
)
LINK_VISIT_RETENTION = env.seconds(
    "CLOUDSCRIBE_LINK_VISIT_RETENTION", 90 * 86_400, "Visits of share links, with addresses, are kept for."
)
STEP_UP_LIFETIME = env.seconds(
    "CLOUDSCRIBE_STEP_UP_LIFETIME", 900, "How long a proof of who acts counts for dangerous acts."
)
CEREMONY_LIFETIME = env.seconds(
    "CLOUDSCRIBE_CEREMONY_LIFETIME", 300, "How long a passkey's challenge can be answered."
)
if ACCESS_TOKEN_LIFETIME > 600 or REFRESH_GRACE > 60:
    raise ImproperlyConfigured(
        "CLOUDSCRIBE_ACCESS_TOKEN_LIFETIME is at most 600 s, CLOUDSCRIBE_REFRESH_GRACE 60 s."
    )
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": dt.timedelta(seconds=ACCESS_TOKEN_LIFETIME),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": KEY_RING.derive("access-token"),
    "USER_ID_FIELD": "uid",
    "USER_ID_CLAIM": "sub",
}
LOGIN_URL = "admin:login"
OIDC_ISSUER = env.text("CLOUDSCRIBE_OIDC_ISSUER", "", "Issuer of the sign-in provider, to the letter.")
OIDC_CLIENT_ID = env.text("CLOUDSCRIBE_OIDC_CLIENT_ID", "", "What the provider calls this installation.")
OIDC_CLIENT_SECRET = env.secret("CLOUDSCRIBE_OIDC_CLIENT_SECRET", "Secret at the provider, if there is one.")
OIDC_NAME = env.text("CLOUDSCRIBE_OIDC_NAME", "Single sign-on", "What people call the provider.")
OIDC_SCOPES = env.listing(
    "CLOUDSCRIBE_OIDC_SCOPES", ["openid", "email", "profile"], "Scopes that the provider is asked for."
)
OIDC_REDIRECT_URL = env.text(
    "CLOUDSCRIBE_OIDC_REDIRECT_URL",
    f"{PUBLIC_URL}/account/oidc/",
    "Where the provider sends people back to: the page of an app of yours, or our own.",
    shown="the page `/account/oidc/`",
)

# --- Requests of ours to elsewhere ----------------------------------------------------------------
OUTGOING_ALLOW = env.listing(
    "CLOUDSCRIBE_OUTGOING_ALLOW",
    [],
    "Networks beyond the public Internet that requests may go to, and other ports than 80 and 443: "
    "`10.0.0.0/8`, `10.1.2.3/32:8443`, `[fd00::/8]:8443`.",
)
OUTGOING_TIMEOUT = env.seconds(
    "CLOUDSCRIBE_OUTGOING_TIMEOUT", 15, "A request to elsewhere with its answer takes no longer."
)

# --- API ------------------------------------------------------------------------------------------
REST_FRAMEWORK = presentation.REST_FRAMEWORK
SPECTACULAR_SETTINGS = presentation.SPECTACULAR_SETTINGS
# Classes that the base viewset needs from the floors above lib come by dotted path.
IDEMPOTENCY_GUARD = "security.idempotency.IdempotencyGuard"
# A body of 2 MB in letters of two bytes is 6 MB of JSON where a client writes them as \uXXXX, as many do.
MAX_JSON_BYTES = env.integer("CLOUDSCRIBE_MAX_JSON_BYTES", 7 * 1024 * 1024, "Largest JSON body.", least=1024)

# --- Jobs, mail, the trail -------------------------------------------------------------------------
JOB_LEASE = env.seconds(
    "CLOUDSCRIBE_JOB_LEASE", 60, "A job whose worker gave no sign for so long is taken over."
)
JOB_BACKOFF = env.seconds(
    "CLOUDSCRIBE_JOB_BACKOFF", 5, "A failed job is tried again after; doubled each time, an hour at most."
)
JOBS_A_PROCESS = env.integer(
    "CLOUDSCRIBE_JOBS_A_PROCESS", 100, "So many jobs one process does at most; 1 gives each its own.", least=1
)
JOB_PROCESS_SECONDS = env.seconds(
    "CLOUDSCRIBE_JOB_PROCESS_SECONDS", 10, "A process that does jobs begins no further one after."
)
JOB_FILE_LIFETIME = env.seconds(
    "CLOUDSCRIBE_JOB_FILE_LIFETIME", 7 * 86_400, "Files that jobs made, such as exports, can be had for."
)
JOB_RETENTION = env.seconds("CLOUDSCRIBE_JOB_RETENTION", 30 * 86_400, "Ended jobs are kept for.")
JOB_SWEEP_INTERVAL = env.seconds(
    "CLOUDSCRIBE_JOB_SWEEP_INTERVAL", 0.5, "How often the scheduler looks for due jobs."
)
NOTIFICATION_RETENTION = env.seconds(
    "CLOUDSCRIBE_NOTIFICATION_RETENTION", 90 * 86_400, "Notifications are kept for, read or not."
)
EMAIL_URL = env.text(
    "EMAIL_URL", "", "SMTP server, `smtp+tls://user:password@host:587`.", shown="files in `mail/`"
)
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("CLOUDSCRIBE_MAIL_FROM", "CloudScribe <noreply@localhost>", "Sender of mails.")
# The thread that refreshes rules and writes what was put off; a command is over before it would pay.
TIMERS = PROCESS_KIND != "command"
AUDIT_ORIGIN = env.text(
    "CLOUDSCRIBE_AUDIT_ORIGIN",
    f"{urlsplit(PUBLIC_URL).netloc}/audit",
    "Name of the audit log in its signed checkpoints.",
    shown="HOST/audit",
)

# --- Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

UNFOLD = presentation.UNFOLD

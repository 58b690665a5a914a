"""Settings of logs, metrics, traces and the error tracker.

cloudscribe.settings takes them over as they are.
"""

from __future__ import annotations

from cloudscribe.lib import env

__all__ = [
    "LOGGING",
    "LOGGING_CONFIG",
    "METRICS_TOKEN",
    "OTEL_ENDPOINT",
    "PROCESS_KIND",
    "RELEASE",
    "REPEATED_QUERIES",
    "SENTRY_DSN",
    "SLOW_QUERY",
]

PROCESS_KIND = env.text(
    "CLOUDSCRIBE_PROCESS",
    "command",
    "Kind of process, which decides its time-outs and whether it has the admin; set by the supervisor.",
    choices=("web", "job", "command"),
)
METRICS_TOKEN = env.secret(
    "CLOUDSCRIBE_METRICS_TOKEN", "Bearer token of /metrics; without, loopback alone may read."
)
LOGGING_CONFIG = "cloudscribe.lib.observability.logs.configure"
LOGGING = {
    "file": env.text(
        "CLOUDSCRIBE_LOG_FILE", "", "File that log lines are written to besides the standard output."
    ),
    "level": env.text("CLOUDSCRIBE_LOG_LEVEL", "INFO", "Least severe level that is logged."),
    # What a command prints on the standard output is its answer.
    "stream": "stderr" if PROCESS_KIND == "command" else "stdout",
}
SLOW_QUERY = env.seconds(
    "CLOUDSCRIBE_SLOW_QUERY", 0.5, "A statement that takes longer is logged, by its shape without values."
)
REPEATED_QUERIES = env.integer(
    "CLOUDSCRIBE_REPEATED_QUERIES",
    10,
    "A statement that one request sends so often is logged, in debug mode alone.",
    least=2,
)
OTEL_ENDPOINT = env.text(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "",
    "OpenTelemetry collector that traces go to, OTLP over HTTP; the standard's other variables hold, too.",
)
RELEASE = "1.0.0"
SENTRY_DSN = env.secret("SENTRY_DSN", "Error tracker; off without.")
if SENTRY_DSN:
    # Here and not above: importing it costs every process that has no tracker.
    from cloudscribe.lib.observability import sentry

    sentry.start(SENTRY_DSN, RELEASE)

"""Every metric of CloudScribe, by name; counted over all processes of the machine."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

HTTP_REQUESTS = Counter("cloudscribe_http_requests", "Requests answered.", ["route", "method", "status"])
HTTP_SECONDS = Histogram("cloudscribe_http_request_seconds", "Seconds to answer a request.", ["route", "method"])
TRANSACTION_RETRIES = Counter("cloudscribe_transaction_retries", "Transactions tried again.", ["reason"])
ON_COMMIT_FAILURES = Counter("cloudscribe_on_commit_failures", "Actions after a commit that failed.")
REDIS_FAILURES = Counter("cloudscribe_redis_failures", "Redis calls that failed or were not tried.", ["reason"])
CACHE_LOOKUPS = Counter("cloudscribe_cache_lookups", "Cache look-ups.", ["cache", "outcome"])

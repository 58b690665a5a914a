"""Fifty clients that sign in again and again: `python sign_in_storm.py PORT SECONDS`; prints how often."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import sys
import time
from collections import Counter

CLIENTS = 50


def client(port: int, number: int, until: float) -> Counter[int]:
    """The statuses of one client's attempts, each for a name and from an address of its own."""
    found: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    tries = 0
    while time.monotonic() < until:
        tries += 1
        body = json.dumps({"email": f"p{number}-{tries}@example.org", "password": "wrong-password-9"})
        address = f"203.0.{number}.{tries % 250}"
        headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
        connection.request("POST", "/api/v1/auth/login/", body, headers)
        answer = connection.getresponse()
        answer.read()
        found[answer.status] += 1
    return found


if __name__ == "__main__":
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    until = time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        counts = list(pool.map(lambda number: client(port, number, until), range(CLIENTS)))
    sys.stdout.write(json.dumps(sum(counts, Counter())))

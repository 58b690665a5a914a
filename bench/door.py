"""What the door costs: address, IP rules, limits, token, session, user and stamps, as a share of a read.

A parameter that a route doesn't know is refused once the door is passed; a page of health passes none of it.
What lies between both is the door, with the refusal, so that the share is rather too large.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx

from bench.client import Client
from bench.servers import READER_PASSWORD
from documents.demo.names import address

# Each in turn, so that what else goes on meets all alike; well under the limits of a minute.
_ROUNDS, _EACH = 10, 50


def door_share(base: str, cpu: Callable[[], float]) -> float:
    """Share of a warm GET of a document, general limits on; `cpu` tells the seconds of all processes so far.

    Raises httpx.HTTPStatusError where an answer is another than it should be.
    """
    reader = Client(base, address(1), READER_PASSWORD)
    path = f"{base}/api/v1/documents/{reader.pages('documents/?page_size=1', 1)[0]['id']}/"
    asked = {
        "read": (path, httpx.codes.OK),
        "passed": (f"{path}?unknown=1", httpx.codes.BAD_REQUEST),
        "outside": (f"{base}/health/live", httpx.codes.OK),
    }
    spent = dict.fromkeys(asked, 0.0)
    with httpx.Client(headers={"Authorization": f"Bearer {reader.token}"}, timeout=30) as http:
        for number in range(_ROUNDS + 1):
            for name, (url, status) in asked.items():
                taken = _cost(http, url, status, cpu)
                if number:  # the first round warms all processes
                    spent[name] += taken
    return (spent["passed"] - spent["outside"]) / spent["read"]


def _cost(http: httpx.Client, url: str, status: int, cpu: Callable[[], float]) -> float:
    before = cpu()
    for _ in range(_EACH):
        answer = http.get(url)
        if answer.status_code != status:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
    return cpu() - before

"""A signed-in reader or writer of the API, as the bench needs one."""

from __future__ import annotations

from typing import Any

import httpx


class Client:
    """One person's session; an answer that is an error raises httpx.HTTPStatusError but by `request`."""

    def __init__(self, base: str, email: str, password: str) -> None:
        """Sign in at `base` (scheme, host, port)."""
        self._http = httpx.Client(base_url=f"{base}/api/v1/", timeout=30)
        self._credentials = {"email": email, "password": password}
        self.sign_in()

    def sign_in(self) -> str:
        """Make a new session, whose access token lasts ten minutes, and return that token."""
        self._http.headers.pop("Authorization", None)
        answer = self._http.post("auth/login/", json=self._credentials)
        answer.raise_for_status()
        self.token = str(answer.json()["access"])
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        return self.token

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request below /api/v1/."""
        answer = self.request(method, path, **options)
        answer.raise_for_status()
        return answer

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The same, whatever the answer is."""
        return self._http.request(method, path, **options)

    def pages(self, path: str, wanted: int) -> list[dict[str, Any]]:
        """Up to `wanted` entries of a list, page by page."""
        found: list[dict[str, Any]] = []
        address: str | None = path
        while address and len(found) < wanted:
            page = self.send("GET", address).json()
            found += page["results"]
            address = page["next"]
        return found[:wanted]

"""The settings as mypy's Django plugin loads them: with keys that protect nothing."""

from __future__ import annotations

import base64
import json
import os

os.environ.setdefault("CLOUDSCRIBE_SECRET_KEY", "only-for-reading-types-" * 4)
os.environ.setdefault(
    "CLOUDSCRIBE_KEYS", json.dumps({"active": "k", "keys": {"k": base64.b64encode(bytes(32)).decode()}})
)

from cloudscribe.settings import *  # noqa: F403

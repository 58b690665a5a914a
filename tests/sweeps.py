"""Sweeps over every route: the suite makes a part of each, `make prove` all of it by `SWEEPS=whole`."""

from __future__ import annotations

import os

WHOLE = os.environ.get("SWEEPS") == "whole"

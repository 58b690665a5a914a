"""The kinds of jobs of this app, by name."""

from __future__ import annotations

PURGE = "jobs.purge"

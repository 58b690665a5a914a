"""Gauges that are read from PostgreSQL when /metrics is asked for: they hold for all machines alike.

An app keeps its own in its `readings` module. All of them together take one connection and no longer than
a scraper waits; what can't be read in time is left out, and `cloudscribe_reading_ok` says so.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import structlog
from django.db import connection
from django.utils.module_loading import autodiscover_modules
from prometheus_client.core import GaugeMetricFamily, Metric

from cloudscribe.lib.observability.health import Probe

# Of all readings together; Prometheus gives up after ten.
_PATIENCE = 3.0
_LIMITS = "SET statement_timeout = '1s'; SET default_transaction_read_only = on"

log = structlog.get_logger(__name__)

Rows = Iterable[Sequence[Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class Gauge:
    """One gauge: its name, what it says, and the labels that all gauges of its reading share."""

    name: str
    help: str


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """Rows of the values of `labels`, as many, followed by a number for each of `gauges`."""

    name: str
    labels: tuple[str, ...]
    gauges: tuple[Gauge, ...]
    rows: Callable[[], Rows]

    def metrics(self) -> list[Metric]:
        """Read now; raises what the database raises. A number that is None is left out."""
        found = [GaugeMetricFamily(gauge.name, gauge.help, labels=self.labels) for gauge in self.gauges]
        for row in self.rows():
            values = [str(value) for value in row[: len(self.labels)]]
            for metric, number in zip(found, row[len(self.labels) :], strict=True):
                if number is not None:
                    metric.add_metric(values, float(number))
        return list(found)


_readings: dict[str, Reading] = {}
READING_OK = Gauge("cloudscribe_reading_ok", "Whether the gauges of a group could be read just now.")


def reading(
    name: str, *gauges: Gauge, labels: Sequence[str] = ()
) -> Callable[[Callable[[], Rows]], Callable[[], Rows]]:
    """Make the function's rows the values of `gauges`: labels first, ids never among them."""

    def register(rows: Callable[[], Rows]) -> Callable[[], Rows]:
        _readings[name] = Reading(name, tuple(labels), gauges, rows)
        return rows

    return register


@functools.cache
def _load() -> None:
    autodiscover_modules("readings")


def readings() -> list[Reading]:
    """All of them, by every app."""
    _load()
    return list(_readings.values())


class Collector:
    """What a registry of prometheus_client collects: the gauges of one scrape."""

    def __init__(self) -> None:
        self._found: dict[str, list[Metric]] = {}
        self._probe = Probe(self._read, patience=_PATIENCE)

    def collect(self) -> Iterator[Metric]:
        """Read within the patience; a reading that is still under way then counts as failed."""
        self._found = {}
        self._probe.passes()
        found = dict(self._found)
        state = GaugeMetricFamily(READING_OK.name, READING_OK.help, labels=["reading"])
        for each in readings():
            state.add_metric([each.name], float(each.name in found))
            yield from found.get(each.name, [])
        yield state

    def _read(self) -> None:
        found = self._found
        try:
            with connection.cursor() as cursor:
                cursor.execute(_LIMITS)
            for each in readings():
                self._take(each, found)
        finally:
            connection.close()

    def _take(self, each: Reading, found: dict[str, list[Metric]]) -> None:
        try:
            found[each.name] = each.metrics()
        except Exception as error:  # noqa: BLE001 (one that fails must not take the others with it)
            log.warning("reading_failed", reading=each.name, error=type(error).__name__)

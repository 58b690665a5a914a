"""Dashboard, alerts and runbooks speak of metrics that exist, and each alert has its page."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
import pytest
import yaml
from django.conf import settings
from prometheus_client import REGISTRY

from cloudscribe.lib.observability import metrics, readings, views

ROOT = pathlib.Path(settings.BASE_DIR)
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((ROOT / "deploy/grafana/cloudscribe.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Prometheus' own: whether a scrape was answered, and the labels that it puts on everything.
BY_PROMETHEUS = {"up"}
ITS_LABELS = {"instance", "job"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
EXPRESSIONS = [
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS),
    *(pytest.param(each["expr"], id=panel["title"]) for panel in PANELS for each in panel["targets"]),
]


@functools.cache
def known() -> Mapping[str, set[str]]:
    """The labels of every metric of ours, by each name that it can be asked for."""
    assert metrics.HTTP_REQUESTS
    assert views.metrics
    found: dict[str, set[str]] = {"cloudscribe_reading_ok": {"reading"}}
    for metric in set(REGISTRY._collector_to_names):
        name = getattr(metric, "_name", "")
        if name.startswith("cloudscribe_"):
            kind = type(metric).__name__.lower()
            for suffix in SUFFIXES[kind]:
                found[name + suffix] = set(metric._labelnames) | ({"le"} if suffix == "_bucket" else set())  # type: ignore[attr-defined]
    for reading in readings.readings():
        found.update({gauge.name: set(reading.labels) for gauge in reading.gauges})
    return found


def nodes(expression: str) -> Iterator[Any]:
    """Every part of an expression; raises ValueError where it is none."""
    found: list[Any] = []
    text = expression.replace("$__rate_interval", "5m")
    promql_parser.walk(promql_parser.parse(text), found.append)
    return iter(found)


def asked(expression: str) -> tuple[set[str], set[str]]:
    """The metrics that an expression asks for, and the labels that it matches or groups by."""
    names, labels = set(), set()
    for node in nodes(expression):
        if isinstance(node, promql_parser.VectorSelector):
            names.add(node.name)
            labels |= {matcher.name for matcher in node.matchers.matchers}
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            labels |= set(node.modifier.labels)
    return names, labels


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression_asks_for_what_exists(expression: str) -> None:
    """It is PromQL, its metrics are ours, and every label belongs to one of them."""
    names, labels = asked(expression)
    assert names
    assert names - BY_PROMETHEUS <= known().keys()
    assert labels - ITS_LABELS <= set().union(*(known().get(name, set()) for name in names))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alert_says_what_is_due(rule: dict[str, Any]) -> None:
    """A name, a severity, a sentence with labels that the expression leaves, and a page that names it."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"CloudScribe[A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in {"page", "ticket"}
    if "for" in rule:
        assert promql_parser.parse_duration(rule["for"])
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert shown <= asked(rule["expr"])[1] | ITS_LABELS
    page = ROOT / rule["annotations"]["runbook_url"]
    text = page.read_text(encoding="utf-8")
    assert f"`{rule['alert']}`" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## What it means",
        "## What to look at",
        "## What to do",
    ]


def test_alerts_have_names_of_their_own() -> None:
    """Two of one name would silence one another."""
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names))


def test_runbooks_are_all_of_alerts_and_in_the_list() -> None:
    """No page is left over, and the list leads to each with the alerts that it is for."""
    pages = {pathlib.Path(rule["annotations"]["runbook_url"]).name for rule in ALERTS}
    folder = ROOT / "docs/runbooks"
    assert {page.name for page in folder.glob("*.md")} == {*pages, "README.md"}
    contents = (folder / "README.md").read_text(encoding="utf-8")
    for rule in ALERTS:
        name = pathlib.Path(rule["annotations"]["runbook_url"]).name
        assert re.search(rf"^\|.*`{rule['alert']}`.*\({re.escape(name)}\) \|$", contents, re.MULTILINE)


def test_runbooks_speak_of_metrics_that_exist() -> None:
    """A command that somebody copies at night must work."""
    for page in (ROOT / "docs/runbooks").glob("*.md"):
        names = set(re.findall(r"\bcloudscribe_\w+", page.read_text(encoding="utf-8")))
        assert names <= known().keys(), page.name


def test_handbook_lists_every_metric() -> None:
    """With its labels, as it is asked for; none that doesn't exist."""
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(cloudscribe_\w+)(?:\{([\w,]+)\})?` \|", page, re.MULTILINE))
    listed = {name: set(filter(None, labels.split(","))) for name, labels in rows.items()}
    histograms = {name.removesuffix("_bucket") for name in known() if name.endswith("_bucket")}
    parts = {name + suffix for name in histograms for suffix in SUFFIXES["histogram"]}
    single = {name: labels for name, labels in known().items() if name not in parts}
    assert listed == single | {name: known()[f"{name}_sum"] for name in histograms}


def test_panels_stand_beside_one_another() -> None:
    """Each has an id of its own and covers no other."""
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        own = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not own & cells, panel["title"]
        cells |= own
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])

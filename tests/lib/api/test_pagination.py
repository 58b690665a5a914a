"""Keyset pages of a queryset, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

pytestmark = [pytest.mark.urls("tests.lib.api.things"), pytest.mark.django_db]


@pytest.fixture
def http() -> Client:
    """A client."""
    return Client()


def _get(http: Client, url: str) -> Any:
    response = http.get(url)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("ordering", ["type", "-type", "codename", "-codename", "app", "-app"])
def test_list_walks_forward_and_back_over_equal_sort_values(http: Client, ordering: str) -> None:
    """Each row once and in order, however many are equal; back again over the same pages."""
    page = _get(http, f"/api/t/rows/?ordering={ordering}&page_size=7")
    pages = [page["results"]]
    while page["next"]:
        page = _get(http, page["next"])
        pages.append(page["results"])
    column = {"type": "content_type_id", "codename": "codename", "app": "content_type__app_label"}
    sign = "-" if ordering.startswith("-") else ""
    names = (f"{sign}{column[ordering.removeprefix('-')]}", f"{sign}pk")
    expected = list(Permission.objects.order_by(*names).values_list("pk", flat=True))
    assert [row["id"] for rows in pages for row in rows] == expected
    back = [page["results"]]
    while page["previous"]:
        page = _get(http, page["previous"])
        back.append(page["results"])
    assert back[::-1] == pages


def test_list_stays_in_place_when_rows_are_deleted(http: Client) -> None:
    """The next page begins where this one ended, although the row at its edge is gone."""
    first = _get(http, "/api/t/rows/?page_size=3")
    before = _get(http, first["next"])["results"]
    Permission.objects.filter(pk__in=[row["id"] for row in first["results"]]).delete()
    assert _get(http, first["next"])["results"] == before


def test_list_costs_one_query_a_page(http: Client, django_assert_num_queries: Any) -> None:
    """No count and no second look for the next page."""
    # 1. the page's rows and one more
    with django_assert_num_queries(1):
        _get(http, "/api/t/rows/?page_size=3")


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("page_size=0", "?page_size", "invalid"),
        ("page_size=201", "?page_size", "invalid"),
        ("page_size=x", "?page_size", "invalid"),
        ("page_size=-1", "?page_size", "invalid"),
        ("page_size=%D9%A3", "?page_size", "invalid"),
        ("ordering=password", "?ordering", "invalid_choice"),
        ("ordering=--type", "?ordering", "invalid_choice"),
        ("cursor=nonsense", "?cursor", "invalid_cursor"),
        ("id__gte=x", "?id__gte", "invalid"),
        ("id__lte=5", "?id__lte", "unknown_parameter"),
        ("id=5", "?id", "unknown_parameter"),
    ],
)
def test_list_with_a_bad_parameter(http: Client, query: str, pointer: str, code: str) -> None:
    """400 that names the parameter."""
    response = http.get(f"/api/t/rows/?{query}")
    assert response.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in response.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("change", ["ordering=-type", "id__gte=3"])
def test_cursor_under_another_ordering_or_filter(http: Client, change: str) -> None:
    """A cursor belongs to its list; another one would give a page that means nothing."""
    cursor = _get(http, "/api/t/rows/?page_size=3")["next"].split("cursor=")[1].split("&")[0]
    response = http.get(f"/api/t/rows/?cursor={cursor}&{change}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


def test_cursor_at_another_list(http: Client) -> None:
    """Also where that list has the same rows in the same order."""
    cursor = _get(http, "/api/t/rows/?page_size=3")["next"].split("cursor=")[1].split("&")[0]
    assert http.get(f"/api/t/rows/?cursor={cursor}").status_code == 200
    response = http.get(f"/api/t/other-rows/?cursor={cursor}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


def test_list_filtered(http: Client) -> None:
    """`field__op` of the allow-list narrows the list, and its pages keep it."""
    page = _get(http, "/api/t/rows/?id__gte=5&page_size=2&ordering=-type")
    assert "id__gte=5" in page["next"]
    rows = page["results"] + _get(http, page["next"])["results"]
    assert len(rows) == 4
    assert all(row["id"] >= 5 for row in rows)

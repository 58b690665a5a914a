"""Roles and teams in a real browser."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from accounts.roles import roles_of
from accounts.services.teams import team_create
from tests.accounts.factories import user_make
from tests.actors import person
from tests.admin.browser import Staff

pytestmark = pytest.mark.django_db(transaction=True)


def tick(staff: Staff, name: str, value: str) -> None:
    """Turn a checkbox round."""
    box = staff.driver.find_element(By.CSS_SELECTOR, f"input[name={name}][value='{value}']")
    staff.driver.execute_script("arguments[0].click()", box)


def test_role_is_given_by_a_tick(staff: Staff) -> None:
    """What the person has is ticked; one more, saved, is given."""
    user = user_make(name="Ann")
    staff.come_in()
    staff.open(f"/admin/accounts/user/{user.pk}/change/")
    tick(staff, "roles", "auditor")
    staff.submit("[name=_save]")
    assert roles_of(user) == ["auditor", "member"]


def test_team_page_shows_its_people_and_takes_another(staff: Staff) -> None:
    """The list opens, the page names the members, an address puts somebody in."""
    team = team_create(actor=person(user_make(name="Olga Cook")), name="Kitchen")
    newcomer = user_make("bob@example.org")
    staff.come_in()
    assert "Kitchen" in staff.open("/admin/accounts/team/")
    assert "Olga Cook" in staff.open(f"/admin/accounts/team/{team.pk}/change/")
    staff.driver.find_element(By.NAME, "add_member").send_keys("bob@example.org")
    staff.submit("[name=_save]")
    assert newcomer.groups.filter(team=team).exists()

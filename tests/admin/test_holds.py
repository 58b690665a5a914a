"""Legal holds in a real browser: placed from the page of a document, released from the list with a reason."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from documents.models import Document, Hold
from tests.admin.browser import Staff
from tests.admin.test_pages import document

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
__all__ = ["document"]


def test_hold_is_placed_and_released(staff: Staff, document: Document) -> None:
    """As staff do it, without a complaint of the browser."""
    page = f"/admin/documents/document/{document.pk}/change/"
    staff.come_in()
    staff.open(page)
    link = staff.driver.find_element(By.PARTIAL_LINK_TEXT, "Place a legal hold").get_attribute("href")
    staff.open(str(link).removeprefix(staff.base))
    staff.driver.find_element(By.NAME, "reason").send_keys("Case 7")
    staff.submit("[name=_save]")
    assert Hold.objects.get().document == document
    assert "Case 7" in staff.open(page)
    staff.open("/admin/documents/hold/")
    box = staff.driver.find_element(By.CSS_SELECTOR, "input.action-select")
    staff.driver.execute_script("arguments[0].click()", box)
    Select(staff.driver.find_element(By.NAME, "action")).select_by_value("release")
    staff.driver.find_element(By.NAME, "reason").send_keys("Case closed")
    staff.picture("release")
    staff.submit("button[name=index]")
    assert "Released: 1." in staff.text()

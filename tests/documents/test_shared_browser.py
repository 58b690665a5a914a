"""The public page of a share link in a real browser: how it looks, what it loads, and what axe says."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from tests.admin.browser import follow
from tests.axe import violations
from tests.documents.sharing import PASSWORD, link_make
from tests.documents.world import World

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TEXT = """# Moving to the new office

We move in the **first week of March**. This page tells who does what, and when.

## What happens when

| Day | What | Who | Where |
| --- | :-: | --- | ---: |
| Monday | Packing of everything that stands in the archive | Ada | 3rd floor |
| Tuesday | Servers | Grace | Basement |

## What is done

- [x] The contract is signed
- [ ] Keys are handed out
    - [ ] to the cleaning service

### Notes

> Nobody carries anything heavier than a chair.

```python
def boxes(shelves: int) -> int:
    return shelves * 12  # a line that is long enough to need a scroll bar on a narrow screen
```

```rust,ignore
/// Counts `boxes`.
#[derive(Debug)]
pub struct Box<'a> { label: &'a str, weight: f64 }
impl Box<'_> { const MOST: u32 = 0x20;
    fn heavy(&self) -> bool { self.weight > 20.5 && self.label != "x\\n" } }
```

```diff
@@ -1 +1 @@
-Monday
+Tuesday
```

```html
<p class="note">Not &amp; never <!-- run --></p>
```

A footnote[^1], `code`, and an [address](https://example.org/a-rather-long-path/that-goes-on/and-on).

## Questions

Ask at the desk.

## Files

None of the page's own places has the name of a heading.[^1]

[^1]: Which says little.
"""


class Reader:
    """Somebody who follows a link."""

    def __init__(self, driver: WebDriver, base: str, pictures: pathlib.Path) -> None:
        self.driver, self.base, self._pictures = driver, base, pictures

    def open(self, path: str, name: str, width: int = 1200, **features: str) -> None:
        """Look at a page of a width, in `prefers-color-scheme` or `media` as told; keeps a picture."""
        emulated: dict[str, Any] = {"media": features.get("media", "")}
        emulated["features"] = [{"name": "prefers-color-scheme", "value": features.get("scheme", "light")}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)  # type: ignore[attr-defined]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)  # type: ignore[attr-defined]
        self.driver.get_log("browser")  # type: ignore[attr-defined]
        self.driver.get(self.base + path)
        # A page whose frame Chromium has just put into another process can't be pictured for a moment.
        wait = WebDriverWait(self.driver, 30, ignored_exceptions=[WebDriverException])
        wait.until(lambda driver: driver.save_screenshot(str(self._pictures / f"{name}.png")))

    def complaints(self) -> list[str]:
        """What the browser had to complain about, a refused page itself apart."""
        entries = self.driver.get_log("browser")  # type: ignore[attr-defined]
        told = [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]
        return [one for one in told if "status of 401" not in one and "status of 404" not in one]

    def overflows(self) -> bool:
        """Whether one has to scroll sideways."""
        return bool(
            self.driver.execute_script(
                "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )


@pytest.fixture
def reader(chromium: WebDriver, live_server: LiveServer, tmp_path: pathlib.Path) -> Any:
    """A browser without cookies; SCREENSHOTS names a folder for pictures."""
    pictures = pathlib.Path(os.environ.get("SCREENSHOTS") or tmp_path)
    pictures.mkdir(parents=True, exist_ok=True)
    chromium.delete_all_cookies()
    yield Reader(chromium, live_server.url, pictures)
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})  # type: ignore[attr-defined]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})  # type: ignore[attr-defined]


def _link(world: World, **fields: Any) -> str:
    top = world.document("Moving to the new office", content=TEXT, icon="📦")
    for title in (
        "Floor plan of the third floor",
        "List of boxes",
        "A page with a title that is so long that it wraps",
    ):
        world.document(title, parent=top, content=f"# {title}\n\nText.\n")
    threads = f"documents/{top}/threads/"
    told = {"body": "Is that **sure**?\n\nAda doubts it.", "quote": "first week of March"}
    asked = World.ok(world.owner.post(threads, told), 201)["comments"][0]["id"]
    World.ok(world.owner.post(f"comments/{asked}/reactions/", {"emoji": "👍"}), 201)
    settled = World.ok(world.owner.post(threads, {"body": "Who pays?"}), 201)["id"]
    World.ok(world.owner.post(f"threads/{settled}/comments/", {"body": "The firm."}), 201)
    World.ok(world.owner.post(f"threads/{settled}/resolve/"))
    return str(link_make(world, top, include_children=True, role="commenter", **fields)["secret"])


@pytest.mark.parametrize(
    ("name", "width", "features"),
    [
        ("wide", 1200, {}),
        ("narrow", 390, {}),
        ("dark", 1200, {"scheme": "dark"}),
        ("narrow-dark", 390, {"scheme": "dark"}),
        ("print", 800, {"media": "print"}),
    ],
)
def test_page_is_good_to_read(
    world: World, reader: Reader, name: str, width: int, features: dict[str, str]
) -> None:
    """Nothing is refused by the policy or missing, nothing runs off the side, axe finds nothing."""
    secret = _link(world)
    reader.open(f"/s/{secret}/", f"shared-{name}", width, **features)
    assert reader.complaints() == []
    assert not reader.overflows()
    text = reader.driver.find_element(By.TAG_NAME, "main").text
    assert "first week of March" in text
    assert ("Ada doubts it." in text) == (features.get("media") != "print")
    for details in reader.driver.find_elements(By.CSS_SELECTOR, ".talk details"):
        reader.driver.execute_script("arguments[0].open = true", details)
    assert violations(reader.driver) == []


def test_page_leads_on_by_clicks(world: World, reader: Reader) -> None:
    """From the contents to a heading, from the children to a page, and back by the way above it."""
    secret = _link(world)
    reader.open(f"/s/{secret}/", "shared-start")
    reader.driver.find_element(By.LINK_TEXT, "Questions").click()
    assert reader.driver.current_url.endswith("#questions")
    follow(reader.driver, By.PARTIAL_LINK_TEXT, "List of boxes")
    assert reader.driver.find_element(By.TAG_NAME, "h1").text == "List of boxes"
    assert violations(reader.driver) == []
    follow(reader.driver, By.PARTIAL_LINK_TEXT, "Moving to the new office")
    assert reader.driver.current_url.endswith(f"/s/{secret}/")


def test_page_opens_by_its_password(world: World, reader: Reader) -> None:
    """The form is labelled, says what is wrong, and opens by the right word."""
    secret = _link(world, password=PASSWORD)
    reader.open(f"/s/{secret}/", "shared-password", 390)
    assert violations(reader.driver) == []
    reader.driver.find_element(By.NAME, "password").send_keys("wrong")
    follow(reader.driver, By.TAG_NAME, "button")
    assert "The password is wrong." in reader.driver.find_element(By.TAG_NAME, "body").text
    assert violations(reader.driver) == []
    reader.driver.find_element(By.NAME, "password").send_keys(PASSWORD)
    follow(reader.driver, By.TAG_NAME, "button")
    assert "first week of March" in reader.driver.find_element(By.TAG_NAME, "main").text
    reader.open("/s/none/", "shared-missing", 1200, scheme="dark")
    assert "There is nothing here" in reader.driver.find_element(By.TAG_NAME, "body").text
    assert violations(reader.driver) == []

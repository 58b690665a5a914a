"""A passkey at the admin's door: by the form alone, and once in a real browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import Client
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import Credential, VirtualAuthenticatorOptions
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from accounts.models import Ceremony, Passkey, RolePolicy, Session, SignInFailure
from accounts.services import limiter
from accounts.services.sessions import ADMIN_LIFETIME
from audit.models import Event
from tests.accounts.api.test_passkeys import add, sign_in, sign_in_options
from tests.accounts.authenticator import PRESENT, Authenticator
from tests.accounts.factories import user_make
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.admin.browser import Staff
from tests.fixtures import client_make

LOGIN = "/admin/login/?next=/admin/jobs/job/"


@pytest.fixture
def device(settings: Any) -> Authenticator:
    """A device with no key, on the site's own origin."""
    settings.PUBLIC_URL = "http://localhost:8000"
    return Authenticator()


def passkey_make(user: Any, device: Authenticator) -> Passkey:
    """Add a passkey as its owner does, whose sessions end all by that but one."""
    assert add(client_make(user), device).status_code == 201
    Session.objects.all().delete()
    return Passkey.objects.get(user=user)


def send(passkey: Any, **fields: str) -> tuple[Client, Any]:
    """A browser that sent the form with a passkey's answer, and what came back."""
    client = Client()
    text = passkey if isinstance(passkey, str) else json.dumps(passkey)
    return client, client.post(LOGIN, {"username": "", "password": "", "otp": "", "passkey": text, **fields})


def refused(sent: tuple[Client, Any]) -> bool:
    """Whether nobody is in, and the page says why in the one way."""
    client, answer = sent
    told = "The passkey isn&#x27;t known here, or its answer doesn&#x27;t hold." in answer.content.decode()
    outside = client.get("/admin/").status_code == 302
    return answer.status_code == 200 and told and outside and not Session.objects.exists()


@pytest.mark.django_db
def test_admin_by_passkey_alone(device: Authenticator) -> None:
    """Neither address nor password: a session of kind admin that has shown a second factor, and its event."""
    user = staff_make()
    passkey_make(user, device)
    client, answer = send(device.get(sign_in_options()))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/jobs/job/"), answer.content
    assert client.get("/admin/").status_code == 200
    session = Session.objects.get()
    assert (session.user_id, session.kind, session.factors) == (user.pk, "admin", ["passkey"])
    assert session.expires_at - session.created_at == ADMIN_LIFETIME
    assert not SignInFailure.objects.exists()


@pytest.mark.django_db
def test_admin_by_passkey_opens_acts_of_consequence(device: Authenticator) -> None:
    """The session proved enough to suspend somebody; a password alone of the same person opens nothing."""
    user, other = staff_make(), user_make()
    passkey_make(user, device)
    _, answer = staff_client(user)
    assert "or sign in by a passkey" in answer.content.decode()
    client, _ = send(device.get(sign_in_options()))
    client.post("/admin/accounts/user/", {"action": "suspend", "_selected_action": [other.pk]})
    other.refresh_from_db()
    assert not other.is_active


@pytest.mark.django_db
def test_admin_by_passkey_where_the_role_demands_a_factor(device: Authenticator) -> None:
    """A passkey is one, and no app is needed."""
    user = staff_make()
    passkey_make(user, device)
    RolePolicy.objects.filter(group=user.groups.get()).update(second_factor=True)
    client, _ = send(device.get(sign_in_options()))
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["member", "suspended"])
def test_admin_by_passkey_of_others_is_refused(device: Authenticator, who: str) -> None:
    """Whoever isn't active staff is told no more than a stranger; the try is counted and on the record."""
    user = staff_make() if who == "suspended" else user_make()
    passkey_make(user, device)
    type(user).objects.filter(pk=user.pk).update(is_active=who != "suspended")
    assert refused(send(device.get(sign_in_options())))
    assert SignInFailure.objects.filter(pending=False).count() == 1
    assert Event.objects.filter(action="login.failed").count() == 1


@pytest.mark.django_db
def test_admin_by_passkey_answer_is_good_once(device: Authenticator) -> None:
    """One that somebody listened to opens neither the admin nor the API again."""
    passkey_make(staff_make(), device)
    credential = device.get(sign_in_options())
    send(credential)
    Session.objects.all().delete()
    assert refused(send(credential))
    assert sign_in(credential).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    "flaw", ["origin", "unverified", "unasked", "forged_id", "step_up_challenge", "not_json", "deep", "list"]
)
def test_admin_by_passkey_wrong_answer(device: Authenticator, flaw: str) -> None:
    """Made for another site, for nobody in particular, for another purpose, or no answer at all."""
    user = staff_make()
    passkey_make(user, device)
    asked = sign_in_options()
    if flaw == "origin":
        device.origin = "https://evil.example"
    if flaw == "unverified":
        device.flags = PRESENT
    if flaw == "unasked":
        Ceremony.objects.all().delete()
    if flaw == "step_up_challenge":
        Ceremony.objects.update(kind=Ceremony.Kind.PASSKEY_STEP_UP)
    credential: Any = device.get(asked)
    if flaw == "forged_id":
        credential["id"] = credential["rawId"] = "AAAA"
    shapes = {"not_json": "{", "deep": "[" * 9_000, "list": "[1]"}
    assert refused(send(shapes.get(flaw, credential)))
    assert SignInFailure.objects.filter(pending=False).count() == 1


@pytest.mark.django_db
def test_admin_by_passkey_over_the_limit(device: Authenticator) -> None:
    """Counted with the passwords of the same address: 429 with the wait, right answer or not."""
    passkey_make(staff_make(), device)
    send("{}")
    failure = SignInFailure.objects.get()
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=b"x" * 32, source=failure.source) for _ in range(limiter.ADDRESS_LIMIT)]
    )
    client, answer = send(device.get(sign_in_options()))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_admin_by_passkey_needs_the_forms_token(device: Authenticator) -> None:
    """No other site signs somebody in to an account of its own."""
    passkey_make(staff_make(), device)
    client = Client(enforce_csrf_checks=True)
    answer = client.post(LOGIN, {"passkey": json.dumps(device.get(sign_in_options()))})
    assert answer.status_code == 403
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_admin_passkey_is_not_written_into_the_page() -> None:
    """What was sent doesn't come back; without one, address and password are asked for."""
    _, answer = send('{"id": "kanarienvogel"}')
    assert b"kanarienvogel" not in answer.content
    _, answer = send("")
    assert answer.content.count(b"This field is required.") == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("present", [True, False], ids=["passkey", "no-passkey"])
def test_admin_by_passkey_in_a_browser(staff: Staff, settings: Any, present: bool) -> None:
    """The button asks the device, under the page's policy; without a passkey the page says so."""
    settings.PUBLIC_URL = staff.base
    device = Authenticator()
    device.origin = staff.base
    passkey_make(staff.user, device)
    options = VirtualAuthenticatorOptions(
        transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
        has_resident_key=True,
        has_user_verification=True,
        is_user_verified=True,
    )
    staff.driver.add_virtual_authenticator(options)
    try:
        if present:
            staff.driver.add_credential(held(device))
        staff.driver.get(staff.base + LOGIN)
        button = staff.driver.find_element(By.ID, "passkey-button")
        button.click()
        wait = WebDriverWait(staff.driver, 30)
        if present:
            wait.until(staleness_of(button))
        else:
            status = staff.driver.find_element(By.ID, "passkey-status")
            wait.until(lambda _: status.text == "No passkey was used.")
        staff.picture(f"passkey-{present}")
        assert ("/admin/login/" not in staff.driver.current_url) is present
        assert Session.objects.filter(kind="admin", factors=["passkey"]).exists() is present
    finally:
        staff.driver.remove_virtual_authenticator()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_admin_passkey_button_needs_a_name(staff: Staff) -> None:
    """Browsers have no passkeys for numbers: there is no button that can't work."""
    staff.driver.get(staff.base.replace("localhost", "127.0.0.1") + LOGIN)
    assert not staff.driver.find_element(By.ID, "passkey-button").is_displayed()
    staff.driver.get(staff.base + LOGIN)
    assert staff.driver.find_element(By.ID, "passkey-button").is_displayed()


def held(device: Authenticator) -> Credential:
    """The device's key for the browser's own device."""
    key = device.keys[-1]
    private = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Credential.create_resident_credential(key.id, "localhost", key.user_handle, private, key.count)

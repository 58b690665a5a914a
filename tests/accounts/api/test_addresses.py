"""Addresses that look alike, or are spelled in another way: nobody is taken for somebody else by theirs."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cloudscribe.jobs.models import Job
from documents.models import Invitation, WorkspaceUserPermission
from documents.roles import Role
from documents.services.invitations import invitation_send
from documents.services.workspaces import workspace_create
from tests.accounts.api.test_registration import mailed, token_in
from tests.accounts.factories import PASSWORD, user_make
from tests.actors import person

pytestmark = pytest.mark.django_db
# Two zones, each with an owner; folding and IDNA 2003 make one of them.
SHARP, DOUBLE = "ann@straße.de", "ann@strasse.de"


def register(client: Any, email: str) -> Any:
    """Ask for an account and follow the link of the mail; the mail."""
    assert (
        client.post("auth/register/", {"email": email, "password": PASSWORD, "name": "Ann"}).status_code
        == 202
    )
    mail = mailed()
    assert client.post("auth/verify-email/", {"token": token_in(mail)}).status_code == 200
    return mail


def invite(email: str) -> None:
    """Somebody invites the address into a workspace."""
    host = person(user_make())
    invitation_send(
        actor=host, workspace=workspace_create(actor=host, name="Room"), email=email, role=Role.EDITOR
    )


def test_invitation_is_not_given_to_the_owner_of_another_domain(anonymous: Any) -> None:
    """The one who was invited joins; who has a mailbox at the other zone gets nothing of it."""
    invite(SHARP)
    register(anonymous, DOUBLE)
    stranger = User.objects.get(email=DOUBLE)
    assert not WorkspaceUserPermission.objects.filter(user=stranger).exists()
    assert Invitation.objects.get().accepted_at is None
    register(anonymous, SHARP)
    assert Invitation.objects.get().accepted_by == User.objects.get(email=SHARP)


def test_invitation_token_of_one_domain_opens_nothing_for_the_other(client_for: Any) -> None:
    """Nor does the link of the mail, whoever got hold of it."""
    invite(SHARP)
    client = client_for(user_make(email=DOUBLE))
    answer = client.post("auth/invitations/accept/", {"token": token_in(mailed())})
    assert (answer.status_code, answer.json()["code"]) == (403, "invitation_for_another")


def test_mail_goes_to_the_domain_that_was_named(anonymous: Any) -> None:
    """By IDNA 2008, where the letter is one of its own."""
    assert register(anonymous, SHARP).message()["To"] == "ann@xn--strae-oqa.de"


def test_passwords_of_both_are_apart(anonymous: Any) -> None:
    """A reset that is asked for one is mailed to none but it."""
    register(anonymous, DOUBLE)
    anonymous.post("auth/password/forgot/", {"email": SHARP})
    assert mailed() is None
    assert anonymous.post("auth/login/", {"email": SHARP, "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize("spelled", ["ａｎｎ@example.org", "Ann＠ＥＸＡＭＰＬＥ.org", "ann@example．org"])  # noqa: RUF001
def test_full_width_is_mailed_to_the_plain_mailbox(anonymous: Any, spelled: str) -> None:
    """So that none but its owner can prove it: no mailbox by another name takes the address away."""
    assert register(anonymous, spelled).to[0].lower() == "ann@example.org"
    user = User.objects.get()
    assert user.email.lower() == user.email_key == "ann@example.org"
    assert anonymous.post("auth/login/", {"email": spelled, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("spelled", ["\u017fam@example.org", "sam@example.org", "\uff53am@example.org"])
def test_reset_goes_to_the_address_of_the_account(anonymous: Any, spelled: str) -> None:
    """Whatever was typed."""
    user_make(email="Sam@example.org")
    assert anonymous.post("auth/password/forgot/", {"email": spelled}).status_code == 202
    assert mailed().to == ["Sam@example.org"]


@pytest.mark.parametrize("spelled", ["\u212aim@example.org", "\u017fam@example.org"])
def test_letters_that_fold_into_ascii_are_no_mailbox_of_their_own(anonymous: Any, spelled: str) -> None:
    """The Kelvin sign and the long s pass for letters of ASCII in many a pattern."""
    mail = register(anonymous, spelled)
    assert mail.to == [User.objects.get().email]
    assert mail.to[0].isascii()


@pytest.mark.parametrize(
    "address",
    [
        "àdmin@example.org",
        "m\u0131ke@example.org",
        "\u0130@example.org",
        "a@b\uff20example.org",
        "a@\u2764.ws",
        "a@",
    ],
)
def test_what_is_no_address_is_refused(anonymous: Any, address: str) -> None:
    """Letters before the @ that mail servers have no plain form for; domains without a name."""
    answer = anonymous.post("auth/register/", {"email": address, "password": PASSWORD, "name": "Ann"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_email")
    assert not Job.objects.exists()

"""What accounts asks about teams: whom one can put into them, and what goes with them."""

from __future__ import annotations

from collections.abc import Collection

from accounts.models import Team, User
from accounts.ports import TeamEffect, team_access, team_effects
from cloudscribe.lib.actor import Actor
from documents.selectors.people import people_known
from documents.selectors.team_effects import effects_of_team
from documents.services.team_grants import team_grants_remove


class DocumentTeamAccess:
    """Answers by the grants of now."""

    def knows(self, actor: Actor, person: User) -> bool:
        """Whether the actor shares a workspace with the person."""
        return people_known(actor).filter(pk=person.pk).exists()

    def grants_remove(self, actor: Actor, team: Team) -> None:
        """Take away all that the team was granted, with an event each; leaves the team locked."""
        team_grants_remove(actor=actor, team=team)


class DocumentTeamEffects:
    """Answers by the grants of now."""

    def of(self, actor: Actor, team: Team, people: Collection[User], most: int) -> list[TeamEffect]:
        """Where being in the team makes a difference to the people."""
        return effects_of_team(actor, team, people, most)


def connect() -> None:
    """Fill the ports."""
    team_effects.provide(DocumentTeamEffects())
    team_access.provide(DocumentTeamAccess())

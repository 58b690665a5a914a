"""Which document stands where: a pure function of its number, so that the same numbers make the same world.

The small world is flat: document k belongs to person (k-1) mod M + 1, who manages it, and the next three may
edit it. The large one starts with a subtree of 10,922, four children to a node; after it come rounds of trees
whose sizes follow Zipf's law, dealt out to the workspaces in turn.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import hashlib
import math
import uuid
from collections.abc import Iterator

from documents.models import Origin, State
from documents.positions import position_at
from documents.roles import Role

LARGE_FROM = 100_000
SUBTREE = 10_922
FEW, MANY, SUBTREE_OWNER = 1, 2, 3
# People that the world treats alike begin behind those three.
_COMMONERS_FROM = 4
ROOMS = 30
_READERS = 3
_TEAM = 10
_FANOUT_OF_SUBTREE = 4
_TREES = [1_000 // rank for rank in range(1, 61)]
ROUND = sum(_TREES)
# Trees of 250 in 19 rounds, which is what 100,000 documents hold: `few` sees about 5,000 whatever N is.
_TREE_OF_FEW, _ROUNDS_OF_FEW = 3, 19
_BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_SECONDS_APART = 25


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """A grant: `person` or `team` is a number from 1."""

    role: Role
    person: int | None = None
    team: int | None = None
    origin: Origin = Origin.STANDING


@dataclasses.dataclass(frozen=True, slots=True)
class Seat:
    """A membership of workspace number `room`, of a person or of a team."""

    room: int
    role: Role
    person: int = 0
    team: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """Where document `number` stands; `room` is a workspace's number from 0, `parent` a document's."""

    number: int
    uid: uuid.UUID
    room: int
    parent: int | None
    position: str
    owner: int
    at: dt.datetime
    state: State = State.PUBLISHED
    inherits: bool = True
    # About so many bytes of text, None for the 3 KB of the small world.
    size: int | None = None
    revisions: int = 1
    shares: tuple[Share, ...] = ()


class Layout(abc.ABC):
    """One of the two worlds, for so many people."""

    large: bool
    rooms: int

    def __init__(self, people: int) -> None:
        """`people` is M, 1 or more."""
        self.people = people

    @property
    def teams(self) -> int:
        """The number of teams, ten people each."""
        return 0

    @abc.abstractmethod
    def node(self, number: int) -> Node:
        """Document `number`, 1 or more."""

    def seats(self) -> Iterator[Seat]:
        """Who is a member where, the owner of all apart."""
        return iter(())

    def team_uid(self, number: int) -> uuid.UUID:
        """The id of team `number`, 1 or more."""
        return made_uid(f"team {number}", _BEGIN)

    def team_members(self, number: int) -> range:
        """The people in team `number`; `few` and `many` are in none."""
        first = _COMMONERS_FROM + (number - 1) * _TEAM
        return range(first, min(first + _TEAM, self.people + 1))

    def uid(self, number: int) -> uuid.UUID:
        """The id of document `number`: a UUIDv7 whose random part is a hash of it."""
        return made_uid(f"{'large' if self.large else 'small'} {number}", self.at(number))

    def owner(self, number: int) -> int:
        """The person who owns document `number`."""
        return (number - 1) % self.people + 1

    @staticmethod
    def at(number: int) -> dt.datetime:
        """When document `number` was made."""
        return _BEGIN + dt.timedelta(seconds=number * _SECONDS_APART)


class SmallLayout(Layout):
    """Flat, of 3 KB a document, each shown to four people."""

    large = False
    rooms = 1

    def node(self, number: int) -> Node:
        """Document `number`."""
        owner = self.owner(number)
        readers = [(owner - 1 + step) % self.people + 1 for step in range(1, min(_READERS + 1, self.people))]
        return Node(
            number=number,
            uid=self.uid(number),
            room=0,
            parent=None,
            position=position_at(number - 1),
            owner=owner,
            at=self.at(number),
            shares=(
                Share(Role.MANAGER, person=owner),
                *(Share(Role.EDITOR, person=reader) for reader in readers),
            ),
        )


class LargeLayout(Layout):
    """Trees, teams, cuts and histories: DATA's world for any number of documents from 100,000 on."""

    large = True
    rooms = ROOMS

    @property
    def teams(self) -> int:
        """A tenth of the people."""
        return self.people // _TEAM

    def seats(self) -> Iterator[Seat]:
        """A third of the workspaces is open to `many`; each has an owner among the people, and teams."""
        yield Seat(0, Role.OWNER, person=SUBTREE_OWNER)
        for room in range(1, ROOMS):
            yield Seat(room, Role.OWNER, person=_COMMONERS_FROM + room % (self.people - _COMMONERS_FROM + 1))
            if room % 3 == 1:
                yield Seat(room, Role.VIEWER, person=MANY)
        for team in range(1, self.teams + 1):
            # The library is for those who are given something in it.
            role = (Role.VIEWER, Role.COMMENTER, Role.EDITOR)[team % 3]
            yield Seat(1 + team % (ROOMS - 1), role, team=team)

    def node(self, number: int) -> Node:
        """Document `number`."""
        if number <= SUBTREE:
            above = (number - 2) // _FANOUT_OF_SUBTREE + 1 if number > 1 else None
            return self._node(number, 0, above, number % _FANOUT_OF_SUBTREE)
        turn, rest = divmod(number - SUBTREE - 1, ROUND)
        tree = 0
        while rest >= _TREES[tree]:
            rest -= _TREES[tree]
            tree += 1
        room = (turn + tree) % ROOMS
        if rest == 0:
            few = (Share(Role.VIEWER, person=FEW),)
            extra = few if tree == _TREE_OF_FEW and turn < _ROUNDS_OF_FEW else ()
            return self._node(number, room, None, 1 + turn * len(_TREES) + tree, extra)
        fanout = 3 + tree % 6
        above = number - rest + (rest - 1) // fanout
        return self._node(number, room, above, (rest - 1) % fanout)

    def _node(
        self, number: int, room: int, parent: int | None, order: int, extra: tuple[Share, ...] = ()
    ) -> Node:
        dice = Dice(number)
        owner = self.owner(number)
        # What `few`, `many` and the subtree show stays as it is said, so no cut and no draft in the subtree.
        cut = number > SUBTREE and parent is not None and number % 97 == 13
        draft = number > SUBTREE and parent is not None and not cut and number % 101 == 50
        shares = [*extra, *self._shares(number, dice)]
        if cut:
            shares.append(Share(Role.MANAGER, person=owner))
        if draft:
            shares.append(Share(Role.MANAGER, person=owner, origin=Origin.DRAFT))
        return Node(
            number=number,
            uid=self.uid(number),
            room=room,
            parent=parent,
            position=position_at(order),
            owner=owner,
            at=self.at(number),
            state=State.DRAFT if draft else State.ARCHIVED if number % 89 == 40 else State.PUBLISHED,
            inherits=not cut,
            size=dice.size(),
            revisions=2 + number // 10 % 5 if number % 10 == 0 else 1,
            shares=_once(shares),
        )

    def _shares(self, number: int, dice: Dice) -> Iterator[Share]:
        """One document in five is granted by itself, four times in five to a person, else to a team."""
        if number % 5 or self.people < _COMMONERS_FROM:
            return
        role = (Role.VIEWER, Role.VIEWER, Role.COMMENTER, Role.EDITOR)[dice.below(4)]
        if number % 25 == 0 and self.teams:
            yield Share(role, team=1 + dice.below(self.teams))
        else:
            yield Share(role, person=_COMMONERS_FROM + dice.below(self.people - _COMMONERS_FROM + 1))


class Dice:
    """Numbers drawn from a hash of a document's number; a tenth of the cost of seeding `random.Random`."""

    def __init__(self, number: int) -> None:
        """Begin the draws of document `number`."""
        self._left = int.from_bytes(hashlib.blake2b(str(number).encode(), digest_size=16).digest())

    def below(self, bound: int) -> int:
        """A number from 0 up to, not including, `bound`."""
        self._left, drawn = divmod(self._left, bound)
        return drawn

    def size(self) -> int:
        """Bytes of text: most documents are short, few are long, after Zipf's law; 1.3 KB on average."""
        share = (1 + self.below(100_000)) / 100_000
        return min(40_000, int(400 * math.exp(-0.75 * math.log(share))))


def made_uid(name: str, at: dt.datetime) -> uuid.UUID:
    """A UUIDv7 (RFC 9562) of the moment `at` whose random bits are a hash of `name`."""
    noise = int.from_bytes(hashlib.blake2b(f"cloudscribe demo {name}".encode(), digest_size=10).digest())
    bits = int(at.timestamp() * 1000) << 80 | noise
    bits = bits & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)


def _once(shares: list[Share]) -> tuple[Share, ...]:
    """One grant for each subject and origin, the last one said."""
    return tuple({(share.person, share.team, share.origin): share for share in shares}.values())

"""Users and the teams that they form."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models
from django.db.models.functions import Now

from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.fields import UidField


class UserManager(BaseUserManager["User"]):
    """Makes users whose canonical address and password hash are in order."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A saved user; without a password nobody can sign in as them by one."""
        user = User(email=email.strip(), email_key=canonical_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of an address in any spelling; raises User.DoesNotExist."""
        return self.get(email_key=canonical_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person or, by kind, a service that signs in with tokens alone."""

    class Kind(models.TextChoices):
        PERSON = "person"
        SERVICE = "service"

    # Sign-ins are sessions of their own; a column written at each would only make the row hot.
    last_login = None

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    email = models.EmailField(max_length=254, help_text="The address as its owner gave it; mail goes there.")
    email_key = models.CharField(max_length=320, unique=True, editable=False)
    name = models.CharField(max_length=200)
    locale = models.CharField(max_length=35, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    deactivated_at = models.DateTimeField(null=True, blank=True, help_text="When they closed it themselves.")
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Since when the row names nobody.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email_key"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "name"]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="accounts_user_email_key_not_empty", condition=~models.Q(email_key="")
            ),
        ]
        permissions: ClassVar = [
            ("suspend_user", "Can suspend users and let them in again"),
            ("assign_roles", "Can give and take platform roles"),
            ("manage_teams", "Can make, change and delete any team"),
            ("manage_service_accounts", "Can make and delete service accounts of the platform"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def has_perm(self, perm: str, obj: Any | None = None) -> bool:
        """Whether the user has `perm`, on `obj` where given.

        A superuser has every platform permission and no right on anybody's objects: with an object only the
        backends decide.
        """
        if obj is None:
            return super().has_perm(perm)
        return self.is_active and any(backend.has_perm(self, perm, obj) for backend in auth.get_backends())


class Team(models.Model):
    """A team: what people see of a `django.contrib.auth` group named `team:<uid>` and its users.

    Its group carries no Django permission; a trigger refuses one.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="team")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=2000, blank=True, default="")
    managers = models.ManyToManyField(User, through="TeamManager", related_name="managed_teams")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="accounts_team_name_not_empty", condition=~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class TeamManager(models.Model):
    """Who may change a team's members."""

    id = models.BigAutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "user"], name="accounts_teammanager_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} manages {self.team_id}"

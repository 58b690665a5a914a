"""The routes of accounts under /api/v1/."""

from __future__ import annotations

from django.urls import path

from accounts.api.auth import (
    EmailChangeViewSet,
    EmailConfirmViewSet,
    ForgottenPasswordViewSet,
    OwnPasswordViewSet,
    RegistrationViewSet,
    SignInViewSet,
)
from accounts.api.exports import ExportViewSet
from accounts.api.factors import FactorsViewSet, StepUpViewSet
from accounts.api.me import MeViewSet, SessionsViewSet
from accounts.api.notifications import NotificationPreferencesViewSet, NotificationsViewSet
from accounts.api.oidc import IdentitiesViewSet, OidcLinkViewSet, OidcSignInViewSet
from accounts.api.passkeys import PasskeySignInViewSet, PasskeysViewSet
from accounts.api.service_accounts import ServiceAccountsViewSet, ServiceTokensViewSet
from accounts.api.teams import TeamMembersViewSet, TeamsViewSet
from accounts.api.tokens import TokensViewSet
from accounts.api.users import ErasureViewSet, UserRolesViewSet, UsersViewSet

urlpatterns = [
    path("auth/register/", RegistrationViewSet.as_view({"post": "register"})),
    path("auth/verify-email/", RegistrationViewSet.as_view({"post": "verify_email"})),
    path("auth/login/", SignInViewSet.as_view({"post": "login"})),
    path("auth/refresh/", SignInViewSet.as_view({"post": "refresh"})),
    path("auth/email/change/", EmailChangeViewSet.as_view({"post": "change"})),
    path("auth/email/confirm/", EmailConfirmViewSet.as_view({"post": "confirm"})),
    path("auth/logout/", OwnPasswordViewSet.as_view({"post": "logout"})),
    path("auth/step-up/", StepUpViewSet.as_view({"post": "step_up"})),
    path("auth/mfa/", FactorsViewSet.as_view({"get": "retrieve"})),
    path("auth/mfa/totp/", FactorsViewSet.as_view({"post": "totp_start", "delete": "totp_remove"})),
    path("auth/mfa/totp/confirm/", FactorsViewSet.as_view({"post": "totp_confirm"})),
    path("auth/mfa/recovery-codes/", FactorsViewSet.as_view({"post": "recovery_codes"})),
    path("auth/step-up/options/", StepUpViewSet.as_view({"post": "challenge"})),
    path("auth/mfa/passkeys/", PasskeysViewSet.as_view({"get": "list", "post": "create"})),
    path("auth/mfa/passkeys/options/", PasskeysViewSet.as_view({"post": "challenge"})),
    path("auth/mfa/passkeys/<uuid:id>/", PasskeysViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("auth/passkeys/options/", PasskeySignInViewSet.as_view({"post": "challenge"})),
    path("auth/passkeys/login/", PasskeySignInViewSet.as_view({"post": "login"})),
    path("auth/oidc/", OidcSignInViewSet.as_view({"get": "retrieve"})),
    path("auth/oidc/start/", OidcSignInViewSet.as_view({"post": "start"})),
    path("auth/oidc/callback/", OidcSignInViewSet.as_view({"post": "login"})),
    path("auth/oidc/link/", OidcLinkViewSet.as_view({"post": "start"})),
    path("auth/oidc/link/callback/", OidcLinkViewSet.as_view({"post": "create"})),
    path("auth/password/forgot/", ForgottenPasswordViewSet.as_view({"post": "forgot"})),
    path("auth/password/reset/", ForgottenPasswordViewSet.as_view({"post": "reset"})),
    path("auth/password/change/", OwnPasswordViewSet.as_view({"post": "change"})),
    path("me/", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path("me/deactivate/", MeViewSet.as_view({"post": "deactivate"})),
    path("me/export/", ExportViewSet.as_view({"post": "create"})),
    path("me/identities/", IdentitiesViewSet.as_view({"get": "list"})),
    path("me/identities/<uuid:id>/", IdentitiesViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("me/sessions/", SessionsViewSet.as_view({"get": "list", "delete": "destroy_others"})),
    path("me/sessions/<uuid:id>/", SessionsViewSet.as_view({"delete": "destroy"})),
    path(
        "me/notification-preferences/",
        NotificationPreferencesViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path("me/notifications/", NotificationsViewSet.as_view({"get": "list"})),
    path("me/notifications/read-all/", NotificationsViewSet.as_view({"post": "read_all"})),
    path(
        "me/notifications/<uuid:id>/",
        NotificationsViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path("me/tokens/", TokensViewSet.as_view({"get": "list", "post": "create"})),
    path("me/tokens/<uuid:id>/", TokensViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("teams/", TeamsViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "teams/<uuid:id>/",
        TeamsViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("teams/<uuid:id>/members/", TeamMembersViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "teams/<uuid:id>/members/<uuid:user>/",
        TeamMembersViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("service-accounts/", ServiceAccountsViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "service-accounts/<uuid:id>/",
        ServiceAccountsViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path(
        "service-accounts/<uuid:account>/tokens/",
        ServiceTokensViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "service-accounts/<uuid:account>/tokens/<uuid:id>/",
        ServiceTokensViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("users/<uuid:id>/", UsersViewSet.as_view({"get": "retrieve"})),
    path("users/<uuid:id>/suspend/", UsersViewSet.as_view({"post": "suspend"})),
    path("users/<uuid:id>/unsuspend/", UsersViewSet.as_view({"post": "unsuspend"})),
    path("users/<uuid:id>/delete/", UsersViewSet.as_view({"post": "erase"})),
    path("users/<uuid:id>/erase/", ErasureViewSet.as_view({"post": "create"})),
    path("users/<uuid:id>/roles/", UserRolesViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "users/<uuid:id>/roles/<slug:role>/",
        UserRolesViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
]

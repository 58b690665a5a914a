"""Accounts: who people are and how they sign in."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Floor 4."""

    name = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

"""Accounts: users, teams, roles, sign-in and sessions (floor 4)."""

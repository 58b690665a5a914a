"""What a personal access token can be cut to: the scopes that the routes' `scope_map`s name."""

from __future__ import annotations

# A test holds these to be the scopes that some route asks for, and no others.
SCOPES: dict[str, str] = {
    "audit:read": "Read the audit trail, for those who may.",
    "comments:write": "Comment, react and settle threads, where the role allows it.",
    "documents:read": "Find and read documents, workspaces and their members.",
    "documents:write": "Make, change, move, trash and remove documents.",
    "jobs:read": "Follow background jobs.",
    "jobs:write": "Cancel background jobs.",
    "notifications:read": "Read the inbox.",
    "notifications:write": "Mark notifications as read and remove them.",
    "profile:read": "Read the own profile.",
    "security:read": "See IP rules and rate limits, for those who may.",
    "security:write": "Change IP rules and rate limits, for those who may.",
    "teams:read": "See teams and who is in them.",
    "teams:write": "Make, change and delete teams, and change who is in them.",
    "tokens:read": "See the token itself and the tokens that it minted.",
    "tokens:write": "Mint weaker tokens, and revoke itself or those that it minted.",
    "users:read": "See accounts and their platform roles, for those who may.",
    "workspaces:manage": "Make, change and delete workspaces; members and grants.",
}

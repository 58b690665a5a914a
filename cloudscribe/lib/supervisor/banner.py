"""What a person reads when everything runs."""

from __future__ import annotations

from collections.abc import Mapping

from cloudscribe.lib.supervisor.installation import Installation


def banner(installation: Installation, administrator: Mapping[str, str | None]) -> str:
    """The places to look at; the password only where one was just generated."""
    base = installation.environment.get("CLOUDSCRIBE_PUBLIC_URL") or (
        f"http://{installation.local_host}:{installation.port}"
    )
    layout = installation.layout
    rows = [
        ("API", f"{base}/api/v1/"),
        ("API documentation", f"{base}/api/docs/"),
        ("Administration", f"{base}/admin/"),
        ("Administrator", administrator.get("email") or ""),
    ]
    if administrator.get("password"):
        rows.append(("Password", f"{administrator['password']}   (shown this once)"))
    mail = (installation.environment.get("EMAIL_URL") and "by EMAIL_URL") or str(layout.data / "mail")
    rows += [("Mail", mail), ("Logs", str(layout.log)), ("Data", str(layout.data))]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    return "\n".join(["", "CloudScribe is ready. Ctrl-C ends it.", "", *lines, ""])

"""Health in the OpenAPI description: its routes are plain views, which the generator doesn't see."""

from __future__ import annotations

from typing import Any

from cloudscribe.lib.schema_components import header_reference, problem_reference


def add(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's post-processing hook: `/health/live` and `/health/ready`."""
    result["paths"]["/health/live"] = _operation(
        "health_live",
        "Whether the process answers",
        "Nothing else is asked: for whoever restarts what has died.",
        {"200": _answer("It does.", "ok")},
    )
    result["paths"]["/health/ready"] = _operation(
        "health_ready",
        "Whether requests can be served",
        "Within two seconds, also where a server hangs: for load balancers.",
        {
            "200": _answer("`degraded` without Redis, which slows and stops nothing.", "ok", "degraded"),
            "503": _answer(
                "Without PostgreSQL nothing can be served.", "unavailable", headers=["Retry-After"]
            ),
        },
    )
    return result


def _operation(name: str, summary: str, description: str, answers: dict[str, Any]) -> dict[str, Any]:
    refusals = {str(status): problem_reference(status) for status in (400, 500)}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "description": description,
            "tags": ["Health"],
            "responses": dict(sorted({**answers, **refusals}.items())),
        }
    }


def _answer(description: str, *states: str, headers: list[str] | None = None) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": list(states)}},
    }
    return {
        "description": description,
        "headers": {name: header_reference(name) for name in ["X-Request-ID", *(headers or [])]},
        "content": {"application/json": {"schema": schema}},
    }

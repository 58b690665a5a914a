"""Security: client addresses, headers, rate limits, idempotency keys (floor 3)."""

"""The HTTP face of accounts."""

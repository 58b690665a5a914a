"""The HTTP face of security."""

"""The commands of security."""

"""The HTTP face of the audit trail."""

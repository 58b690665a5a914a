"""The HTTP face of jobs."""

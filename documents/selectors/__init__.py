"""Reads whose answer is not one model's queryset."""

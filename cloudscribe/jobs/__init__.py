"""Durable background work: the Job table is the truth, Redis only rings."""

"""Fault drills: a cluster of its own, people who write, faults, and a judgement of what is left."""

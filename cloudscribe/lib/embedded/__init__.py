"""PostgreSQL and Valkey from wheels, for a machine that has neither.

Made, started, adopted and stopped here, without Django.
"""

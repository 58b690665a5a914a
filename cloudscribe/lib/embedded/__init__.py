"""PostgreSQL and Valkey from wheels, for a machine that has neither: made, started, adopted and stopped here, without Django."""

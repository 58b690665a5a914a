"""What a backup is: one file, how it is written and read, and how PostgreSQL's part of it comes and goes."""

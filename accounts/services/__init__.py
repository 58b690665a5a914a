"""The services of accounts: every write."""

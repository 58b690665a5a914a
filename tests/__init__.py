"""The suite: API tests at the HTTP edge on real servers, unit tests without a database."""

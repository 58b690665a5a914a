"""`make run` and `manage.py serve`: servers, migrations, web, workers and scheduler under one process."""

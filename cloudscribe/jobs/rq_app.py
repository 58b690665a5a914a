"""django-rq as an app: its pages and their templates; it has no table."""

from __future__ import annotations

from django_rq.apps import DjangoRqAdminConfig


class QueuesConfig(DjangoRqAdminConfig):
    """Under a name that staff understand."""

    verbose_name = "Job queues"

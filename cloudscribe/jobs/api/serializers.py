"""The shapes of what goes into and comes out of the routes of jobs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.lib.serializers import QuerySerializer


class JobQuery(QuerySerializer):
    """Which jobs are wanted."""

    state = serializers.ChoiceField(choices=JobState.values, required=False)
    kind = serializers.CharField(max_length=64, required=False)


class ProgressOutput(serializers.Serializer[Any]):
    """How far a job is; `total` is null where that isn't known."""

    done = serializers.IntegerField(source="progress_done")
    total = serializers.IntegerField(source="progress_total", allow_null=True)


class FailureOutput(serializers.Serializer[Any]):
    """Why the last try of a job failed."""

    code = serializers.CharField(source="error_code")
    detail = serializers.CharField(source="error")


class JobOutput(serializers.ModelSerializer[Job]):
    """A piece of background work."""

    id = serializers.UUIDField(source="uid")
    progress = ProgressOutput(source="*")
    error = serializers.SerializerMethodField()
    result = serializers.DictField(allow_null=True)

    class Meta:
        model = Job
        fields = (
            *("id", "kind", "state", "progress", "result", "error", "attempts"),
            *("created_at", "updated_at", "started_at", "finished_at"),
        )

    @extend_schema_field(FailureOutput(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        """Null where no try has failed."""
        return {"code": job.error_code, "detail": job.error} if job.error_code else None

"""Due jobs are found by their queue: what another queue holds back isn't walked through."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Work goes on while the one is built and the other dropped.
    atomic = False

    dependencies = [("jobs", "0003_personal_files")]

    operations = [
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                fields=["queue", "run_at"], condition=models.Q(state="queued"), name="jobs_job_due_in_queue"
            ),
        ),
        RemoveIndexConcurrently(model_name="job", name="jobs_job_due"),
    ]

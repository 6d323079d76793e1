from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

# What a run that broke half-way has left: an index that is not valid, under the name that is needed.
_LEFT_OVER = "DROP INDEX CONCURRENTLY IF EXISTS {}"


class Migration(migrations.Migration):
    """Built beside the running service: a table of millions of jobs takes writes all the while."""

    atomic = False
    dependencies = [("dispatch", "0002_readable")]

    operations = [
        migrations.RunSQL(_LEFT_OVER.format("job_by_state"), migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                fields=["tenant_id", "livemode", "kind", "state", "id"],
                name="job_by_state",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
        migrations.RunSQL(_LEFT_OVER.format("job_by_engine"), migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                fields=["tenant_id", "livemode", "kind", "engine", "state", "id"],
                name="job_by_engine",
                condition=models.Q(deleted_at__isnull=True, engine__isnull=False),
            ),
        ),
        # Code of the version before, while it still runs, lists along the primary key meanwhile.
        RemoveIndexConcurrently(model_name="job", name="job_list"),
    ]

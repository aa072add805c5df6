"""Reports: jobs that take long."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    """How far it is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Report(models.Model):
    """The whole stock, added up and compared with its movements. Who ordered it may read it."""

    holder = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How often it was begun.")
    lease_until = models.DateTimeField(null=True, help_text="Past it, whoever has claimed it is taken for dead.")
    result = models.JSONField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state__in=["queued", "running"]), name="reports_to_be_made")
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.state}"

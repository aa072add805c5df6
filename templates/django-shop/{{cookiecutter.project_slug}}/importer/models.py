"""What was asked for, and what became of it."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    """How far it is."""

    QUEUED = "queued", "waiting"
    RUNNING = "running", "being read"
    DONE = "done", "done"
    REFUSED = "refused", "refused: nothing was imported"
    BROKEN = "broken", "broken off: what is there is whole"


def private() -> FileSystemStorage:
    """Beside the pictures, not among them: nobody fetches these."""
    return FileSystemStorage(settings.DATA / "private")


def new_name(_import: "Import", _name: str) -> str:
    """Nothing of what somebody has called a file."""
    return f"{secrets.token_hex(16)}.csv"


class Import(models.Model):
    """A file with products, and what became of it."""

    file = models.FileField(storage=private, upload_to=new_name)
    name = models.CharField("file", max_length=100, editable=False)
    try_only = models.BooleanField(
        "only try it out", default=True, help_text="Says what would happen, and changes nothing."
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, editable=False)
    report = models.JSONField(default=dict, editable=False)  # how many of what; `problems`: [[line, text], …]
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    claim = models.UUIDField(null=True, editable=False)  # whose it is: who was taken for dead must not write any more
    alive_at = models.DateTimeField(
        null=True, editable=False
    )  # whoever runs it says so; silent for long, it was killed

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="one_import_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"

"""Likes."""

from django.db import models

from notes.models import Note


class Like(models.Model):
    """Somebody liked a note."""

    note = models.ForeignKey(Note, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"a like of {self.note}"

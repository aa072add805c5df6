"""What was done, and by whom: rows that are added, and then read."""

from typing import Any, NoReturn

from django.db import models


def unchangeable(*_: Any, **__: Any) -> NoReturn:
    """In place of what would change what has happened."""
    raise TypeError("What has happened is not changed.")


class Happened(models.QuerySet[Any]):
    """Rows to be read."""

    update = bulk_update = delete = unchangeable


class AppendOnly(models.Model):
    """What has happened. It is Django that does not change it (`objects = Happened.as_manager()`)."""

    class Meta:
        abstract = True

    def save(self, **how: Any) -> None:
        if self.pk:
            unchangeable()
        super().save(**how)

    delete = unchangeable


class Entry(AppendOnly):
    """Somebody has done something."""

    at = models.DateTimeField(auto_now_add=True)
    principal = models.CharField(max_length=254, db_index=True)  # an e-mail address at the most
    via = models.CharField(max_length=30, help_text="A token, which key, somebody at the desk, or a command.")
    action = models.CharField(max_length=40)
    about = models.CharField(max_length=80, db_index=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(
        max_length=32, blank=True, help_text="As in the answer's X-Request-ID, and in the log."
    )

    objects = Happened.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.principal} ({self.via}): {self.action} {self.about}"

"""What was done, and by whom: rows that nothing changes or deletes."""

from typing import Any, NoReturn

from django.db import models


class AppendOnly(models.Model):
    """What has happened."""

    class Meta:
        abstract = True

    def save(self, **how: Any) -> None:
        if self.pk:
            self.delete()
        super().save(**how)

    def delete(self, *_args: Any, **_how: Any) -> NoReturn:
        raise TypeError("What has happened is not changed.")


class Entry(AppendOnly):
    """Somebody has done something."""

    at = models.DateTimeField(auto_now_add=True)
    principal = models.CharField(max_length=200, db_index=True)
    action = models.CharField(max_length=40)
    about = models.CharField(max_length=80, db_index=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(
        max_length=32, blank=True, help_text="As in the answer's X-Request-ID, and in the log."
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.principal}: {self.action} {self.about}"

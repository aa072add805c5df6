"""Answers that are given again."""

from django.db import models


class StoredAnswer(models.Model):
    """What a caller was told when they sent this key for the first time."""

    principal = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="Of the method, the path and the value of the JSON.")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    content = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="one_answer_for_a_key")]

    def __str__(self) -> str:
        return f"{self.principal}: {self.status}"

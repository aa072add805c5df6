"""What no feature owns."""

from django.db import models


class Use(models.Model):
    """How often somebody has done something within a span of time. Who it was cannot be read from it."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    until = models.BigIntegerField(db_index=True)  # Unix seconds; after it the row says nothing any more

    def __str__(self) -> str:
        return f"{self.key[:8]}…: {self.count}"

"""Keys for programs."""

from datetime import datetime

from django.db import models


class APIKey(models.Model):
    """A key, by its digest: it is shown once, when it is made, and nobody can read it here."""

    name = models.CharField(max_length=80, help_text="What it is for.")
    subject = models.CharField(max_length=200, help_text="Whom it acts for: what it holds is theirs.")
    scopes = models.CharField(max_length=200)
    begins = models.CharField(max_length=14, help_text="So that one can tell which it is.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.begins}… ({self.name})"

    def good_at(self, moment: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > moment)

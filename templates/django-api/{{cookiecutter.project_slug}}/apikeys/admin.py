"""Keys at the desk: to look at, and to revoke. They are made by a command, which shows them to nobody else."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from apikeys import services
from apikeys.models import APIKey
from config.desk import ReadOnlyAdmin, staff


@admin.register(APIKey)
class APIKeyAdmin(ReadOnlyAdmin):
    """Which keys there are, whose, and until when."""

    list_display = ["begins", "name", "subject", "scopes", "expires_at", "revoked_at"]
    search_fields = ["begins", "name", "subject"]
    exclude = ["digest"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("apikeys.change_apikey"))

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: Any) -> None:
        """End them, for good."""
        for key in chosen:
            done = services.revoke(key=key, by=staff(request))
            messages.success(request, f"{key}: it {'is revoked' if done else 'was revoked before'}.")

"""Keys at the desk: to look at, and to revoke. They are made by a command, which shows them to nobody else."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from unfold.decorators import action

from apikeys import services
from apikeys.models import APIKey
from config.desk import ReadOnlyAdmin, staff


@admin.register(APIKey)
class APIKeyAdmin(ReadOnlyAdmin):
    """Which keys there are, whose, and until when."""

    list_display = ["begins", "name", "subject", "scopes", "expires_at", "revoked_at"]
    search_fields = ["begins", "name", "subject"]
    exclude = ["digest"]
    actions_detail = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest, _object_id: object = None) -> bool:
        return bool(request.user.has_perm("apikeys.change_apikey"))

    @action(description="Revoke", permissions=["revoke"], url_path="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it, for good."""
        if services.revoke(key=get_object_or_404(APIKey, pk=object_id), by=staff(request)):
            messages.success(request, "It is revoked.")
        return redirect("admin:apikeys_apikey_change", object_id)

"""Keys at the desk: to look at, and to revoke. They are made by a command, which shows them to nobody else."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apikeys import services
from apikeys.models import APIKey
from config.desk import ReadOnlyAdmin, Words, act, staff


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

        def do(key: APIKey) -> str:
            return "It is revoked." if services.revoke(key=key, by=staff(request)) else "It was revoked before."

        words = Words("Revoke", "From then on it opens nothing, and it cannot be given back.")
        return act(self, request, object_id, words, do)

"""Where accounts are looked at, and people get what they may."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import User

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ModelAdmin):
    """What a role may."""

    filter_horizontal = ["permissions"]


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Accounts. `manage.py createsuperuser` and `changepassword` make and keep them."""

    list_display = ["email", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_superuser", "groups"]
    search_fields = ["email"]
    fields = ["email", "is_active", "is_staff", "is_superuser", "groups", "last_login", "date_joined"]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ["groups"]

    def get_readonly_fields(self, request: HttpRequest, _obj: User | None = None) -> list[str]:
        """Nobody makes themselves, or somebody else, more than they are."""
        more = [] if request.user.is_superuser else ["email", "is_active", "is_staff", "is_superuser", "groups"]
        return [*self.readonly_fields, *more]

"""Where accounts are looked at, and people get what they may."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import User

admin.site.unregister(Group)


class ByAdministrators(ModelAdmin):
    """Whoever may look may look. Whoever could change people or roles could make themselves more than they are."""

    def is_administrator(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_change_permission = has_delete_permission = is_administrator


@admin.register(Group)
class GroupAdmin(ByAdministrators):
    """What a role may."""

    filter_horizontal = ["permissions"]


@admin.register(User)
class UserAdmin(ByAdministrators):
    """Accounts. `manage.py createsuperuser` and `changepassword` make and keep them."""

    list_display = ["email", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_superuser", "groups"]
    search_fields = ["email"]
    fields = ["email", "is_active", "is_staff", "is_superuser", "groups", "last_login", "date_joined"]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ["groups"]

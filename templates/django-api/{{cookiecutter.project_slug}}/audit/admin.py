"""Who did what, to look at."""

from django.contrib import admin

from audit.models import Entry
from config.desk import ReadOnlyAdmin


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ["at", "principal", "via", "action", "about", "request_id"]
    list_filter = ["via", "action"]
    search_fields = ["principal", "about", "request_id"]

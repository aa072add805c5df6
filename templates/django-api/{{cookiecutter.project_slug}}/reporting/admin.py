"""Reports at the desk."""

from django.contrib import admin

from config.desk import ReadOnlyAdmin
from reporting.models import Report


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """What was ordered, and how far it is."""

    list_display = ["created_at", "holder", "state", "attempt", "finished_at"]
    list_filter = ["state"]

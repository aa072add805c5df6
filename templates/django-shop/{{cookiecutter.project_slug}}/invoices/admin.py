"""Where invoices are looked at."""

from django.contrib import admin

from config.desk import ReadOnlyAdmin
from invoices.models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """Invoices and credit notes; *View on site* gives the paper."""

    list_display = ["name", "order", "issued_at"]
    list_filter = ["year"]
    list_select_related = ["order"]
    search_fields = ["number", "order__number", "order__email"]
    fields = readonly_fields = ["name", "order", "issued_at", "sha256", "intact"]

    @admin.display(boolean=True, description="as it was written")
    def intact(self, invoice: Invoice) -> bool:
        """By its checksum."""
        return invoice.intact

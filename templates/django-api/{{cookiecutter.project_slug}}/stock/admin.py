"""Products and movements at the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from config.desk import ReadOnlyAdmin, staff
from stock import services
from stock.models import Movement, Product


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """Products. How many there are is changed by movements only."""

    list_display = ["sku", "name", "on_hand", "available", "updated_at"]
    search_fields = ["sku", "name"]
    fields = ["sku", "name", "on_hand", "available", "created_at", "updated_at"]
    readonly_fields = ["on_hand", "available", "created_at", "updated_at"]
    actions = None  # deleted one by one, so that each is written down

    def get_queryset(self, _request: HttpRequest) -> Any:
        return Product.objects.now()

    @admin.display
    def available(self, product: Product) -> int:
        """What can be had now."""
        return product.on_hand - product.reserved + product.overdue

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """By the same rules as over HTTP, so that the audit trail has it."""
        given = {"sku": obj.sku, "name": obj.name, "by": staff(request)}
        if change:
            changed = {name: given[name] for name in form.changed_data} | {"by": given["by"]}
            services.change(product_id=obj.pk, seen=lambda _product: True, **changed)
        else:
            obj.pk = services.create(**given).pk

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        services.delete(product_id=obj.pk, seen=lambda _product: True, by=staff(request))


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    """What has changed the stock."""

    list_display = ["created_at", "product", "kind", "change", "on_hand", "note"]
    list_filter = ["kind"]
    list_select_related = ["product"]
    search_fields = ["product__sku", "note"]

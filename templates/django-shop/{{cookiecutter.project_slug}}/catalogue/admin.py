"""Where the catalogue is edited."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminImageFieldWidget

from catalogue import images
from catalogue.models import Category, Product, ProductImage, Variant, new_name


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    """Shelves."""

    list_display = ["name", "path", "position"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name", "path"]


class PictureForm(forms.ModelForm[ProductImage]):
    """A picture is uploaded once, and then has words and a place."""

    upload = forms.FileField(required=False, widget=UnfoldAdminImageFieldWidget, label="Picture")

    class Meta:
        model = ProductImage
        fields = ["upload", "alt", "position"]

    def clean_upload(self) -> Any:
        if upload := self.cleaned_data["upload"]:
            return images.opened(upload)
        if not self.instance.pk:
            raise forms.ValidationError("Which picture?")
        return None

    def save(self, commit: bool = True) -> ProductImage:
        if picture := self.cleaned_data["upload"]:
            made = self.instance
            if made.pk:
                before = made.name, made.width
                transaction.on_commit(lambda: images.forget(*before))
            made.name = new_name()
            made.width, made.height = picture.size
            images.keep(picture, made.name)
        return super().save(commit)


class PictureInline(TabularInline):
    """Pictures of a product; the first is shown in lists."""

    model = ProductImage
    form = PictureForm
    extra = 0


class VariantInline(TabularInline):
    """What one buys of a product."""

    model = Variant
    extra = 0
    min_num = 1
    fields = ["sku", "label", "price", "position", "live"]


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """Products, with their variants and pictures."""

    list_display = ["name", "category", "price", "available", "live"]
    list_filter = ["live", "category", "tax_class"]
    list_select_related = ["category"]
    search_fields = ["name", "variants__sku"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [VariantInline, PictureInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        found: QuerySet[Product] = super().get_queryset(request)
        there = Variant.objects.filter(product=OuterRef("pk")).values("product")
        return found.annotate(available=Subquery(there.annotate(all=Sum("level__available")).values("all")))

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """Never the lowest price: it follows from the variants."""
        if change:
            obj.save(update_fields=[field for field in form.cleaned_data if field in form.base_fields])
        else:
            super().save_model(request, obj, form, change)

    @admin.display(description="from", ordering="lowest_price")
    def price(self, product: Product) -> str:
        """The lowest."""
        return str(product.price_from) if product.lowest_price is not None else "–"

    @admin.display(ordering="available")
    def available(self, product: Any) -> int:
        """Of all variants."""
        return product.available or 0

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """What was ever in stock stays, for the ledger: take it off sale instead."""
        used = obj is not None and Variant.objects.filter(product=obj, movements__isnull=False).exists()
        return not used and bool(super().has_delete_permission(request, obj))

"""Where files with products are uploaded, and where one reads what became of them."""

from functools import partial
from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin

from importer.models import Import
from importer.tasks import carry_out

LARGEST = 50 * 1024 * 1024  # bytes


class ImportForm(forms.ModelForm[Import]):
    """A file, and whether it is meant."""

    class Meta:
        model = Import
        fields = ["file", "try_only"]
        help_texts = {"file": "Products as CSV in Shopify's dialect, UTF-8."}

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(f"{LARGEST // 1024**2} MB at most: cut it in two.")
        return file


@admin.register(Import)
class ImportAdmin(ModelAdmin):
    """Imports. They are done in the background: load the page again to see how far one is."""

    form = ImportForm
    list_display = ["name", "state", "try_only", "by", "at"]
    readonly_fields = ["name", "state", "try_only", "what", "by", "at"]

    def get_fields(self, _request: HttpRequest, obj: Import | None = None) -> list[str]:
        return self.readonly_fields if obj else ["file", "try_only"]

    def get_readonly_fields(self, _request: HttpRequest, obj: Import | None = None) -> list[str]:
        return self.readonly_fields if obj else []

    def has_change_permission(self, _request: HttpRequest, _obj: Import | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Import | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Import, form: Any, change: bool) -> None:
        """Write it down, and begin."""
        obj.name, obj.by = PurePath(obj.file.name or "").name[:100], request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
        transaction.on_commit(partial(carry_out.enqueue, obj.pk))

    @admin.display(description="what became of it")
    def what(self, asked: Import) -> str:
        """Counts, or what is wrong in which line."""
        said = [(f"{name.replace('_', ' ')}: {many}",) for name, many in asked.report.items() if name != "problems"]
        said += [(f"line {line}: {text}" if line else text,) for line, text in asked.report.get("problems", [])]
        return format_html_join("", "<div>{}</div>", said) or "–"

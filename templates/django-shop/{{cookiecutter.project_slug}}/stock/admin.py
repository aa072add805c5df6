"""Where the stock is looked at and corrected."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from config.desk import ReadOnlyAdmin, act, may, subject
from stock import services
from stock.errors import OutOfStockError
from stock.models import Level, Movement, Reason

BY_HAND = [(each.value, each.label) for each in (Reason.RECEIVED, Reason.COUNTED, Reason.DAMAGED)]


class CorrectForm(forms.Form):
    """What has come, or gone."""

    delta = forms.IntegerField(label="How many came (with a minus: are gone)", min_value=-100_000, max_value=100_000)
    reason = forms.ChoiceField(choices=BY_HAND)
    reference = forms.CharField(max_length=40, required=False, help_text="The delivery note.")

    def clean_delta(self) -> int:
        delta: int = self.cleaned_data["delta"]
        if delta == 0:
            raise forms.ValidationError("0 changes nothing.")
        return delta


class LowFilter(admin.SimpleListFilter):
    """What should be ordered anew."""

    title, parameter_name = "low", "low"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("yes", "low or sold out")]

    def queryset(self, _request: HttpRequest, levels: Any) -> Any:
        return levels.filter(available__lte=F("low")) if self.value() else levels


@admin.register(Level)
class LevelAdmin(ModelAdmin):
    """How many there are of what. The number changes by *Correct* and by orders only, and the ledger says why."""

    list_display = ["variant", "sku", "available", "low"]
    list_filter = [LowFilter]
    list_select_related = ["variant__product"]
    search_fields = ["variant__sku", "variant__product__name"]
    fields = ["variant", "available", "low"]
    readonly_fields = ["variant", "available"]
    refusals = (OutOfStockError,)
    actions_detail = ["correct"]
    has_correct_permission = may("stock.correct_level")

    @admin.display(ordering="variant__sku")
    def sku(self, level: Level) -> str:
        """Of its variant."""
        return level.variant.sku

    def save_model(self, request: HttpRequest, obj: Level, form: Any, change: bool) -> None:  # noqa: ARG002  Django's names
        """Never the number itself: it may have changed since this page was asked for."""
        obj.save(update_fields=["low"])

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    @action(description="Correct", permissions=["correct"], url_path="correct")
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Something came, was counted, or is broken."""
        level: Level = subject(self, request, object_id)

        def do(filled: dict[str, Any]) -> str:
            services.correct(variant=level.pk, by=request.user, **filled | {"reason": Reason(filled["reason"])})  # type: ignore[arg-type]
            return f"{filled['delta']:+} {level.variant}"

        return act(self, request, level, f"Correct the stock of {level.variant}", ask=CorrectForm, do=do)


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    """The ledger."""

    list_display = ["at", "variant", "delta", "reason", "reference", "by"]
    list_filter = ["reason"]
    list_select_related = ["variant__product", "by"]
    search_fields = ["reference", "variant__sku"]

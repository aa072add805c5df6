"""Where the people work who run the shop: Unfold's admin, with our sign-in, our policy, and forms for what is done."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.module_loading import import_string
from django.views.decorators.csp import csp_override
from unfold import widgets
from unfold.admin import ModelAdmin, TabularInline
from unfold.sites import UnfoldAdminSite

LONGEST_NUMBER = 19  # digits
ONE_DAY = int(timedelta(days=1).total_seconds())


class Desk(UnfoldAdminSite):
    """Signed in by the shop's own page, where guesses are counted; under the policy that Unfold needs."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        allowed: Callable[..., Any] = csp_override(settings.ADMIN_CSP)(super().admin_view(view, cacheable))
        return allowed

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return answer


class ReadOnly:
    """What is looked at here, and made elsewhere."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """A list to look at."""


class ReadOnlyInline(ReadOnly, TabularInline):
    """A part of a page to look at."""

    extra = 0
    show_change_link = False


def may(permission: str) -> Callable[..., bool]:
    """For `has_…_permission` of an action. (Unfold takes names of permissions too, but asks the database at start.)"""

    def allowed(_admin: ModelAdmin, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm(permission))

    return allowed


def subject(admin: ModelAdmin, request: HttpRequest, object_id: str) -> Any:
    """What an action is about. Raises Http404, whatever somebody has typed for its number."""
    number = object_id.isascii() and object_id.isdigit() and len(object_id) < LONGEST_NUMBER
    if not number or (found := admin.get_object(request, object_id)) is None:
        raise Http404
    return found


# Unfold styles the fields of models by itself; those of our own forms get its widgets here.
WIDGETS: dict[type[forms.Field], type[forms.Widget]] = {
    forms.BooleanField: widgets.UnfoldBooleanSwitchWidget,
    forms.CharField: widgets.UnfoldAdminTextInputWidget,
    forms.ChoiceField: widgets.UnfoldAdminSelectWidget,
    forms.DecimalField: widgets.UnfoldAdminDecimalFieldWidget,
    forms.IntegerField: widgets.UnfoldAdminIntegerFieldWidget,
}


def styled(form: forms.Form) -> forms.Form:
    """A form in Unfold's look."""
    for field in form.fields.values():
        if make := WIDGETS.get(type(field)):
            field.widget = make(
                attrs=field.widget.attrs, **({"choices": field.choices} if hasattr(field, "choices") else {})
            )
    return form


def act(
    request: HttpRequest,
    about: Model,
    form: forms.Form,
    *,
    title: str,
    button: str,
    do: Callable[[dict[str, Any]], str],
    refusals: tuple[type[Exception], ...],
) -> HttpResponse:
    """Ask with a form, and do it when it is confirmed: `do` gets what was filled in and says what it has done.

    What the rules refuse (`refusals`) is shown in the form, with nothing done.
    """
    meta = about._meta
    page = f"admin:{meta.app_label}_{meta.model_name}_change"
    once = request.POST.get("once") or secrets.token_hex(16)
    done = f"act-{hashlib.sha256(once.encode()).hexdigest()}"
    if request.method == "POST" and form.is_valid():
        # Clicked twice it is done once: the cache is in the database, and so one for all processes.
        if not cache.add(done, "done", ONE_DAY):
            messages.info(request, "That was done already.")
            return redirect(page, about.pk)
        try:
            said = do(form.cleaned_data)
        except refusals as error:
            cache.delete(done)
            form.add_error(None, str(error))
        else:
            messages.success(request, said)
            return redirect(page, about.pk)
    site = import_string("django.contrib.admin.site")
    context = site.each_context(request) | {
        "title": title,
        "form": styled(form),
        "button": button,
        "once": once,
        "opts": meta,
    }
    return TemplateResponse(request, "admin/act.html", context, status=422 if form.errors else 200)


def dashboard(_request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What waits for somebody, on the first page."""
    context["waiting"] = import_string("orders.services.oversight")() | import_string("payments.services.oversight")()
    return context

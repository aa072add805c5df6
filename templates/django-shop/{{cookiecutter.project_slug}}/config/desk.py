"""Where the people work who run the shop: Unfold's admin, with our sign-in, our policy, and forms for what is done."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.cache import cache
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.module_loading import import_string
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin, TabularInline
from unfold.sites import UnfoldAdminSite

from config.asked import number
from config.money import Money

type Ask = Callable[..., forms.Form]
type Do = Callable[[dict[str, Any]], str]
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
    show_title = False


def may(permission: str) -> Callable[..., bool]:
    """For `has_…_permission` of an action. (Unfold takes names of permissions too, but asks the database at start.)"""

    def allowed(_admin: ModelAdmin, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm(permission))

    return allowed


def in_currency(name: str) -> Callable[[Any], str]:
    """A column for an amount, as one reads it."""

    @admin.display(description=name.replace("_", " "))
    def shown(row: Any) -> str:
        return str(Money(getattr(row, name), row.currency))

    return shown


def subject(of: ModelAdmin, request: HttpRequest, object_id: str) -> Any:
    """What an action is about. Raises Http404, whatever somebody has typed for its number."""
    if (found := of.get_object(request, str(number(object_id)))) is None:
        raise Http404
    return found


def act(of: ModelAdmin, request: HttpRequest, about: Model, title: str, *, ask: Ask, do: Do) -> HttpResponse:
    """Ask with a form, and do it when it is confirmed: `do` gets what was filled in and says what it has done.

    What the rules refuse (`of.refusals`) is shown in the form, with nothing done.
    """
    meta, form = about._meta, ask(request.POST if request.method == "POST" else None)
    page = f"admin:{meta.app_label}_{meta.model_name}_change"
    once = request.POST.get("once") or secrets.token_hex(16)
    done = f"act-{hashlib.sha256(once.encode()).hexdigest()}"
    if request.method == "POST" and form.is_valid():
        # Clicked twice it is done once: the cache is in the database, and so one for all processes.
        if not cache.add(done, "done", ONE_DAY):
            messages.info(request, "That was asked for already. Look whether it is done.")
            return redirect(page, about.pk)
        try:
            said = do(form.cleaned_data)
        except of.refusals as error:
            cache.delete(done)
            form.add_error(None, str(error))
        except Exception:
            cache.delete(done)
            raise
        else:
            messages.success(request, said)
            return redirect(page, about.pk)
    site = import_string("django.contrib.admin.site")
    context = site.each_context(request) | {"title": title, "form": form, "once": once, "opts": meta}
    context |= {"back": page, "about": about.pk}
    return TemplateResponse(request, "admin/act.html", context, status=422 if form.errors else 200)


def dashboard(_request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What waits for somebody, on the first page."""
    context["waiting"] = import_string("orders.services.oversight")() | import_string("payments.services.oversight")()
    return context

"""Where staff work: Unfold's admin, where guesses are counted, under the policy that Unfold needs."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from config.limits import allowed
from config.problems import Problem
from config.via import acting

GUESSES, ATTEMPTS, SECONDS = 5, 30, 300  # of one person from one address; of all from one address; within


class Words(NamedTuple):
    """What somebody reads before they do it: on the button, and above it."""

    title: str
    question: str


@method_decorator(csp_override(settings.ADMIN_CSP), name="login")
class Desk(UnfoldAdminSite):
    """The admin's pages, and its sign-in."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        found: Callable[..., Any] = csp_override(settings.ADMIN_CSP)(
            acting("staff")(super().admin_view(view, cacheable))
        )
        return found

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in, so often and no more, over all processes."""
        if request.method == "POST" and not may_try(request):
            messages.error(request, "Too many attempts. Try again in five minutes.")
            request.method = "GET"  # the form once more, and what was typed is not looked at
        found: HttpResponse = super().login(request, extra_context)
        return found


def may_try(request: HttpRequest) -> bool:
    """Whether somebody may try a password once more. In any case it is one person."""
    address, person = request.META["REMOTE_ADDR"], request.POST.get("username", "").strip().lower()
    each = allowed(f"sign-in {person}", address, most=GUESSES, seconds=SECONDS)
    return allowed("sign-in", address, most=ATTEMPTS, seconds=SECONDS) and each


class ReadOnlyAdmin(ModelAdmin):
    """A list to look at: it is made elsewhere."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class ByTheRules(ModelAdmin):
    """A form behind which is a service: what that refuses is told, and nothing of it is done."""

    def changeform_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        """To add and to change."""
        return told(request, partial(super().changeform_view, request, *args, **more), back=request.path)

    def delete_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        """To delete."""
        return told(request, partial(super().delete_view, request, *args, **more), back=request.path)


def told(request: HttpRequest, do: Callable[[], HttpResponse], *, back: str) -> HttpResponse:
    """The answer; or a message of what was refused, and back."""
    try:
        return do()
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect(back)


def act(of: ModelAdmin, request: HttpRequest, object_id: str, words: Words, do: Callable[[Any], str]) -> HttpResponse:
    """Ask whether it is meant, and do it when the answer is sent: a link, which any page can have, does nothing.

    `do` says what it has done. Raises Http404.
    """
    if (about := of.get_object(request, object_id)) is None:
        raise Http404
    meta = about._meta
    back = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[about.pk])

    def done() -> HttpResponse:
        messages.success(request, do(about))
        return redirect(back)

    if request.method == "POST":
        return told(request, done, back=back)
    site = import_string("django.contrib.admin.site")
    context = site.each_context(request) | {"opts": meta, "back": back} | words._asdict()
    return TemplateResponse(request, "admin/act.html", context)


def staff(request: HttpRequest) -> str:
    """Who works at the desk, as the audit trail names them."""
    return request.user.get_username()

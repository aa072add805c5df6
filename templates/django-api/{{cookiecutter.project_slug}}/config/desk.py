"""Where staff work: Unfold's admin, where guesses are counted, under the policy that Unfold needs."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from config.limits import allowed
from config.problems import Problem
from config.via import acting

GUESSES, ATTEMPTS, SECONDS = 5, 30, 300  # of one person from one address; of all from one address; within


@method_decorator(csp_override(settings.ADMIN_CSP), name="login")
class Desk(UnfoldAdminSite):
    """The admin's pages, and its sign-in."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """A page behind which are services: what they refuse is told, and nothing of it is done."""
        guarded = super().admin_view(view, cacheable)

        @csp_override(settings.ADMIN_CSP)
        @acting("staff")
        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                found: HttpResponse = guarded(request, *args, **kwargs)
            except Problem as problem:
                messages.error(request, str(problem))
                return redirect(request.get_full_path())
            return found

        return told

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

    def never(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = never


def staff(request: HttpRequest) -> str:
    """Who works at the desk, as the audit trail names them."""
    return request.user.get_username()

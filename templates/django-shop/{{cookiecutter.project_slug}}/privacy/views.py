"""Where customers get what is held about them, and have it erased. Both ask for the password again."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from privacy import services
from privacy.errors import NotYetError


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication_required
def data(request: HttpRequest) -> HttpResponse:
    """What one can do; by POST, everything in one file."""
    if request.method == "POST" and isinstance(request.user, User):
        named = {"Content-Disposition": 'attachment; filename="everything-about-me.zip"'}
        return HttpResponse(services.everything(request.user.email), content_type="application/zip", headers=named)
    return render(request, "privacy/data.html")


@require_POST
@never_cache
@reauthentication_required
def erase(request: HttpRequest) -> HttpResponse:
    """Erase it. The address is typed once more: nobody does this by accident."""
    if (
        not isinstance(request.user, User)
        or request.POST.get("email", "").strip().lower() != request.user.email.lower()
    ):
        messages.error(request, "That is not your address. Nothing was erased.")
        return redirect("privacy:data")
    try:
        services.erase(request.user.email)
    except NotYetError as error:
        messages.error(request, str(error))
        return redirect("privacy:data")
    logout(request)
    messages.success(request, "Your account is gone, and nobody can tell any more which orders were yours.")
    return redirect("home")

"""Where customers get what is held about them, and have it erased. Both ask for the password again."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from config.limits import allowed
from privacy import services
from privacy.errors import NotYetError

MOST = 5  # downloads in ten minutes, of one address: each looks through everything


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication_required
def data(request: HttpRequest) -> HttpResponse:
    """What one can do; by POST, everything in one file."""
    if request.method == "POST" and isinstance(request.user, User):
        if not allowed("privacy", request.META["REMOTE_ADDR"], most=MOST, seconds=600):
            messages.error(request, "That was often. Please wait ten minutes.")
            return redirect("privacy:data")
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
    said = "Your account is gone, and your orders have no name any more. The bills that we wrote stay as they are."
    messages.success(request, said)
    return redirect("home")

"""Whose basket it is: of an account, or of a session."""

from django.db.models import Sum
from django.http import HttpRequest

from basket.models import Basket

KEY = "basket"
ASKED = "_basket"  # on the request: whose it is does not change while a page is made


def find(request: HttpRequest) -> Basket | None:
    """The basket of whoever asks, if there is one."""
    if not hasattr(request, ASKED):
        setattr(request, ASKED, look_up(request))
    found: Basket | None = getattr(request, ASKED)
    return found


def look_up(request: HttpRequest) -> Basket | None:
    """The same, from the database."""
    if not hasattr(request, "session"):
        return None
    counted = Basket.objects.annotate(in_it=Sum("lines__quantity"))  # each page shows it
    if request.user.is_authenticated:
        return counted.filter(user=request.user).first()
    token = request.session.get(KEY)
    return counted.filter(token=token, user=None).first() if token else None


def find_or_make(request: HttpRequest) -> Basket:
    """The basket of whoever asks. Who only looks gets none, and no cookie."""
    if basket := find(request):
        return basket
    if request.user.is_authenticated:
        made, _ = Basket.objects.get_or_create(user=request.user)
    else:
        made = Basket.objects.create()
        request.session[KEY] = made.token
    setattr(request, ASKED, made)
    return made

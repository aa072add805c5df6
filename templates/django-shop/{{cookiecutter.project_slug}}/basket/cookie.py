"""Whose basket it is: of an account, or of a session."""

from django.http import HttpRequest

from basket.models import Basket

KEY = "basket"


def find(request: HttpRequest) -> Basket | None:
    """The basket of whoever asks, if there is one."""
    if not hasattr(request, "session"):
        return None
    if request.user.is_authenticated:
        return Basket.objects.filter(user=request.user).first()
    token = request.session.get(KEY)
    return Basket.objects.filter(token=token, user=None).first() if token else None


def find_or_make(request: HttpRequest) -> Basket:
    """The basket of whoever asks. Who only looks gets none, and no cookie."""
    if basket := find(request):
        return basket
    if request.user.is_authenticated:
        return Basket.objects.get_or_create(user=request.user)[0]
    basket = Basket.objects.create()
    request.session[KEY] = basket.token
    return basket

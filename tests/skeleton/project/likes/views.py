"""Likes over HTTP."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from likes.models import Like


def count_likes(_request: HttpRequest) -> HttpResponse:
    """How many there are."""
    return JsonResponse({"likes": Like.objects.count()})

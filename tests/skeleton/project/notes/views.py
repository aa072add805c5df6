"""Notes over HTTP."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from notes.models import Note


def index(request: HttpRequest) -> HttpResponse:
    """The page of all notes."""
    return render(request, "index.html", {"notes": Note.objects.order_by("id")})


def list_notes(request: HttpRequest) -> HttpResponse:
    """All notes, for those who are signed in."""
    if not request.user.is_authenticated:
        return JsonResponse({"type": "/problems/not-signed-in", "title": "Sign in", "status": 401}, status=401)
    return JsonResponse({"items": [{"text": note.text} for note in Note.objects.order_by("id")], "next": None})

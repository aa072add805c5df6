"""Where everything is."""

from django.urls import include, path

urlpatterns = [
    path("", include("notes.urls")),
    path("", include("likes.urls")),  # likes
]

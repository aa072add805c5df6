"""Where notes are."""

from django.urls import path

from notes import views

urlpatterns = [
    path("", views.index),
    path("api/v1/notes", views.list_notes),
]

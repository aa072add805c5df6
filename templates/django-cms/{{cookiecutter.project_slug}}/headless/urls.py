"""Where it is."""

from django.urls import path

from headless.api import api

urlpatterns = [path("api/v2/", api.urls)]

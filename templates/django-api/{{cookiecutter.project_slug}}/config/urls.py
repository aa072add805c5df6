"""Where everything is."""

from django.contrib import admin
from django.urls import include, path, re_path

from config import extras, problems, views

urlpatterns = [
    path("", views.home, name="home"),
    path("docs", views.docs, name="docs"),
    path("admin/", admin.site.urls),
    path("api/v1/openapi.json", views.document, name="document"),
    # The extras first: what they add beside an id would be taken for one.
    *(path("api/v1/", include(module)) for module in extras.urls()),
    path("api/v1/", include("stock.urls")),
    path("api/v1/", include("reservations.urls")),
    re_path(r"^api(?:/|$)", problems.nowhere),
]
handler500 = "config.views.server_error"

"""Where everything is."""

from django.contrib import admin
from django.contrib.sitemaps.views import index, sitemap
from django.urls import include, path, re_path

from catalogue.views import Categories, Products, home
from config import extras, views

SITEMAPS = {"categories": Categories, "products": Products}

urlpatterns = [
    path("", home, name="home"),
    path("", include("catalogue.urls")),
    path("basket/", include("basket.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("account/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    re_path(r"^media/(?P<path>products/.+)$", views.media),
    path("robots.txt", views.robots),
    path("sitemap.xml", index, {"sitemaps": SITEMAPS}),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": SITEMAPS}, name="django.contrib.sitemaps.views.sitemap"),
    *(path("", include(module)) for module in extras.urls()),
]
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"

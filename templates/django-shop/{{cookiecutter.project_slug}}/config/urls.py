"""Where everything is."""

from django.contrib import admin
from django.contrib.sitemaps import GenericSitemap
from django.contrib.sitemaps.views import index, sitemap
from django.urls import include, path, re_path

from catalogue.models import Category, Product
from catalogue.views import home
from config import extras, views

SITEMAPS = {
    "categories": GenericSitemap({"queryset": Category.objects.order_by("path")}),
    "products": GenericSitemap({"queryset": Product.objects.shown().order_by("pk")}),
}

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

"""Where everything is."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path
from django.views.decorators.csp import csp_override
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.contrib.sitemaps.views import sitemap
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.utils.urlpatterns import decorate_urlpatterns

from config import extras, views
from pages import feeds
from pages.search import search
from pages.sitemap import AllLanguages

urlpatterns = [
    # The one place where scripts in the page are allowed.
    path("admin/", include(decorate_urlpatterns(wagtailadmin_urls.urlpatterns, csp_override(settings.ADMIN_CSP)))),
    path("documents/", include(wagtaildocs_urls)),
    re_path(r"^media/(?P<path>images/.+)$", views.media),
    path("robots.txt", views.robots),
    path("sitemap.xml", sitemap, {"sitemaps": {"pages": AllLanguages}}),
    *(path("", include(module)) for module in extras.urls()),
]
urlpatterns += i18n_patterns(
    path("search/", search, name="search"),
    path("feed/", feeds.Articles(), name="feed"),
    path("", include(wagtail_urls)),
    prefix_default_language=False,
)
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"

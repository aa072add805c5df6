"""Where the shelves are."""

from django.urls import path

from catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("search/", views.search, name="search"),
    path("shop/<path:path>/", views.category, name="category"),
    path("products/<slug:slug>/", views.product, name="product"),
]

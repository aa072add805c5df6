"""Where customers get what is held about them."""

from django.urls import path

from privacy import views

app_name = "privacy"
urlpatterns = [
    path("account/data/", views.data, name="data"),
    path("account/data/erase/", views.erase, name="erase"),
]

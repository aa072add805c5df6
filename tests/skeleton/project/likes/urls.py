"""Where likes are."""

from django.urls import path

from likes import views

urlpatterns = [path("api/v1/likes", views.count_likes)]

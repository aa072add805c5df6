"""Where reservations are."""

from django.urls import path

from reservations import views

urlpatterns = [
    path("reservations", views.All.as_view(), name="reservations"),
    path("reservations/<str:reservation_id>", views.One.as_view(), name="reservation"),
    path("reservations/<str:reservation_id>/confirm", views.Confirm.as_view(), name="confirm"),
    path("reservations/<str:reservation_id>/cancel", views.Cancel.as_view(), name="cancel"),
]

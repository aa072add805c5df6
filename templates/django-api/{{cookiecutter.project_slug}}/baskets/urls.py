"""Where several are put aside at once."""

from django.urls import path

from baskets import views

urlpatterns = [path("reservations/bulk", views.Bulk.as_view(), name="bulk")]

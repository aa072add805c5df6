"""Where reports are."""

from django.urls import path

from reporting import views

urlpatterns = [
    path("reports", views.Reports.as_view(), name="reports"),
    path("reports/<str:report_id>", views.OneReport.as_view(), name="report"),
]

"""Where an invoice is fetched."""

from django.urls import path

from invoices import views

app_name = "invoices"
urlpatterns = [path("orders/<str:token>/invoices/<int:year>-<int:number>.pdf", views.pdf, name="pdf")]

"""Where one pays."""

from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("orders/<str:token>/pay/", views.pay, name="pay"),
    path("orders/<str:token>/paid/", views.back, name="back"),
    path("orders/<str:token>/cancel/", views.cancel, name="cancel"),
    path("payments/fake/<str:reference>/", views.fake, name="fake"),
    path("webhooks/<str:name>/", views.webhook, name="webhook"),
]

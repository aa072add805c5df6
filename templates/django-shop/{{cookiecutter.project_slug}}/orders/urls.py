"""Where one orders."""

from django.urls import path

from orders import views

app_name = "orders"
urlpatterns = [
    path("checkout/", views.address, name="address"),
    path("checkout/shipping/", views.shipping, name="shipping"),
    path("checkout/review/", views.review, name="review"),
    path("checkout/place/", views.place, name="place"),
    path("orders/", views.mine, name="mine"),
    path("orders/<str:token>/", views.order, name="order"),
]

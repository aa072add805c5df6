"""Where one types a code."""

from django.urls import path

from coupons import views

app_name = "coupons"
urlpatterns = [path("checkout/coupon/", views.choose, name="choose")]

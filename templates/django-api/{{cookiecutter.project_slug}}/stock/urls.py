"""Where products and movements are."""

from django.urls import path

from stock import views

urlpatterns = [
    path("products", views.Products.as_view(), name="products"),
    path("products/<str:product_id>", views.OneProduct.as_view(), name="product"),
    path("products/<str:product_id>/movements", views.Movements.as_view(), name="movements"),
    path("stock/<str:sku>", views.Stock.as_view(), name="stock"),
]

"""What one may ask of a list."""

from decimal import Decimal

from django.db.models import F, Q
from django_filters import CharFilter, Filter, FilterSet, NumberFilter

from stock.models import Products


class ProductFilter(FilterSet):
    """Which products."""

    sku = CharFilter(strip=False)
    search = CharFilter(strip=False, method="found")
    available_min = NumberFilter(method="to_be_had")

    def found(self, products: Products, _name: str, text: str) -> Products:
        """Those with this in their SKU or name, an ASCII letter in either case."""
        return products.filter(Q(sku__icontains=text) | Q(name__icontains=text))

    def to_be_had(self, products: Products, _name: str, many: Decimal) -> Products:
        """Those of which so many are available."""
        available = F("on_hand") - F("reserved") + F("overdue")
        return products.annotate(available=available).filter(available__gte=int(many))


class MovementFilter(FilterSet):
    """Which movements."""

    kind = CharFilter()
    since = Filter(field_name="created_at", lookup_expr="gte")

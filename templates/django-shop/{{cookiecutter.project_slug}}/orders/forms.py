"""What a customer fills in."""

from typing import Any

from django import forms
from django.conf import settings

from orders.models import by_name


class AddressForm(forms.Form):
    """Who orders, and where it goes."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    name = forms.CharField(max_length=100)
    street = forms.CharField(label="Street and number", max_length=120)
    postcode = forms.RegexField(r"^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$", label="Postcode")
    city = forms.CharField(max_length=80)
    country = forms.ChoiceField(choices=by_name(settings.COUNTRIES))

    FILL_IN = {
        "email": "email",
        "name": "shipping name",
        "street": "shipping street-address",
        "postcode": "shipping postal-code",
        "city": "shipping address-level2",
        "country": "shipping country",
    }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | more)
        for name, what in self.FILL_IN.items():
            self.fields[name].widget.attrs["autocomplete"] = what

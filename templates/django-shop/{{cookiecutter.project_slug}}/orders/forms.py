"""What a customer fills in."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator

from orders.models import by_name

# Mail servers take no others.
PLAIN = r"^[\x20-\x7e]+@", "Before the @ there are only letters from a to z, digits and signs."


class AddressForm(forms.Form):
    """Who orders, and where it goes."""

    email = forms.EmailField(label="E-mail address", max_length=254, validators=[RegexValidator(*PLAIN)])
    name = forms.CharField(max_length=100)
    street = forms.CharField(label="Street and number", max_length=120)
    postcode = forms.RegexField(r"^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$", label="Postcode")
    city = forms.CharField(max_length=80)
    country = forms.ChoiceField(choices=by_name(settings.COUNTRIES))

    FILL_IN = {"street": "street-address", "postcode": "postal-code", "city": "address-level2"}

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | more)
        for name, field in self.fields.items():
            field.widget.attrs["autocomplete"] = f"shipping {self.FILL_IN.get(name, name)}"

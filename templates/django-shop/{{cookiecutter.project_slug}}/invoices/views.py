"""Where an invoice is fetched."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from invoices.models import Invoice


@require_safe
@never_cache
def pdf(_request: HttpRequest, token: str, year: int, number: int) -> HttpResponse:
    """The paper, for whoever has the address of its order."""
    found = get_object_or_404(Invoice, order__token=token, year=year, number=number)
    named = {"Content-Disposition": f'attachment; filename="{found.name.replace(" ", "-").lower()}.pdf"'}
    return HttpResponse(bytes(found.pdf), content_type="application/pdf", headers=named)

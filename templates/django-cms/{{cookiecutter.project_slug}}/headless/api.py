"""Wagtail's API, version 2, for reading only: what every visitor may see, as JSON, for other programs."""

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.utils import BadRequestError
from wagtail.api.v2.views import PagesAPIViewSet

from config.limits import allowed

MOST_PER_MINUTE = 300  # of one address; an answer that is kept already is not counted
LARGEST = 2**31 - 1  # what the database takes for a number


class PerMinute(BaseThrottle):
    """Counts in the database, so over all processes."""

    def allow_request(self, request: Request, view: Any) -> bool:
        del view
        return allowed("headless", request.META["REMOTE_ADDR"], most=MOST_PER_MINUTE, seconds=60)

    def wait(self) -> float:
        return 60


class Pages(PagesAPIViewSet):
    """Public pages. Who is signed in gets no more than others: nobody is asked who they are."""

    authentication_classes: list[Any] = []
    throttle_classes = [PerMinute]
    # Of whom a page is an alias is nobody's business: that one may be private.
    meta_fields = [field for field in PagesAPIViewSet.meta_fields if field != "alias_of"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name, value in request.GET.items():
            if "\x00" in value:
                raise BadRequestError(f"{name} has a NUL in it")
            if value.isdecimal() and int(value[:20]) > LARGEST:
                raise BadRequestError(f"{name} is too large")

    def finalize_response(self, request: HttpRequest, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer["Access-Control-Allow-Origin"] = "*"  # public, and without cookies: any page may read it
        return answer


api = WagtailAPIRouter("headless")
api.register_endpoint("pages", Pages)

"""URLs: everything of the API is below /v1."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from apikit.facade import Problem
from config.api import answer, api

urlpatterns = [path("v1/", api.urls)]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own 404, in the API's shape."""
    return answer(
        request, Problem("not_found", 404, "There is nothing here. Check the path against the API reference.")
    )


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django cannot read."""
    return answer(request, Problem("bad_request", 400, "The request is malformed."))


def handler500(request: HttpRequest) -> HttpResponse:
    """Something outside the API's own handlers failed."""
    return answer(request, Problem("internal_error", 500, "Something went wrong on our side. Quote the request_id."))

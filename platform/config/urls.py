"""Wiring of the HTTP API."""

urlpatterns: list[object] = []

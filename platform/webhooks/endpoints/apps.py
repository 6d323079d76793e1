from django.apps import AppConfig


class EndpointsConfig(AppConfig):
    name = "webhooks.endpoints"
    label = "webhook_endpoints"

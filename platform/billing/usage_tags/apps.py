from django.apps import AppConfig


class UsageTagsConfig(AppConfig):
    name = "billing.usage_tags"
    label = "usage_tags"

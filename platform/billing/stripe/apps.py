from django.apps import AppConfig


class StripeConfig(AppConfig):
    name = "billing.stripe"
    label = "billing_stripe"

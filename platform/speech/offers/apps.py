from django.apps import AppConfig


class OffersConfig(AppConfig):
    name = "speech.offers"
    label = "speech_offers"

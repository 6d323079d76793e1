"""A Django view that takes webhooks: `path("hooks/parlance", django_view.parlance_webhook)`."""

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from parlance import WebhookVerificationError, webhooks


@csrf_exempt
@require_POST
def parlance_webhook(request: HttpRequest) -> HttpResponse:
    try:
        event = webhooks.unwrap(request.body, request.headers, secret=settings.PARLANCE_WEBHOOK_SECRETS)
    except WebhookVerificationError:
        return HttpResponse(status=400)
    # The same event may come again: each id is handled once.
    is_new = cache.add(f"parlance-event:{event.id}", True, timeout=7 * 24 * 3600)
    if is_new and isinstance(event, webhooks.TranscriptionCompletedEvent):
        print(event.data.id, event.data.duration_ms)
    return HttpResponse(status=204)

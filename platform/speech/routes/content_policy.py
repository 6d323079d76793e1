"""Routes of the content policy, with a scope of their own: a key that speaks must not lift what it may not say."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apikit.facade import FieldError, Problem
from egress.facade import UrlBlocked
from speech.routes.shared import answer
from speech.synthesis import policy
from speech.synthesis.custom_schemas import ContentPolicyIn, ContentPolicyOut
from tenants.facade import ApiKeyAuth, Caller, caller_with

MANAGE = "content_policy:manage"

router = Router(auth=ApiKeyAuth(), tags=["speech"])


@router.get("", response={200: ContentPolicyOut}, summary="Get the content policy")
def get_content_policy(request: HttpRequest) -> HttpResponse:
    """What may not be said with keys of this mode."""
    caller = caller_with(request, MANAGE)
    return answer(_shown(caller, policy.rules_of(caller)))


@router.put("", response={200: ContentPolicyOut}, summary="Replace the content policy")
def set_content_policy(request: HttpRequest, body: ContentPolicyIn) -> HttpResponse:
    """Holds for every order from now on, cached speech too. A refused text is billed nothing."""
    caller = caller_with(request, MANAGE)
    rules = policy.Rules(policy.cleaned(body.deny_terms), body.moderator_url, body.when_moderator_fails)
    try:
        policy.set_rules(caller, rules)
    except UrlBlocked as error:
        wrong = FieldError("moderator_url", error.code, str(error))
        raise Problem(error.code, 422, "Texts may not be sent to this URL.", [wrong]) from None
    return answer(_shown(caller, rules))


def _shown(caller: Caller, rules: policy.Rules) -> dict[str, Any]:
    return {
        "object": "content_policy",
        "livemode": caller.livemode,
        "deny_terms": list(rules.deny_terms),
        "moderator_url": rules.moderator_url,
        "when_moderator_fails": rules.when_moderator_fails,
    }

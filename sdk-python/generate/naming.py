"""Names: from paths to resources and methods, from schemas to classes. The same document gives the same names."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

VERBS = {"get": "get", "post": "create", "patch": "update", "put": "set", "delete": "delete"}


def snake(text: str) -> str:
    """
    >>> snake("webhook-endpoints"), snake("Last-Event-ID"), snake("from")
    ('webhook_endpoints', 'last_event_id', 'from_')
    """
    name = re.sub(r"\W+", "_", text).strip("_").lower()
    return f"{name}_" if keyword.iskeyword(name) else name


def pascal(text: str) -> str:
    """
    >>> pascal("webhook_endpoint"), pascal("transcription.completed")
    ('WebhookEndpoint', 'TranscriptionCompleted')
    """
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", text))


def segments(path: str) -> list[str]:
    """
    >>> segments("/v1/uploads/{upload_id}/parts")
    ['uploads', '{upload_id}', 'parts']
    """
    return [part for part in path.split("/") if part][1:]


def statics(path: str) -> tuple[str, ...]:
    return tuple(part for part in segments(path) if not part.startswith("{"))


def resources_of(paths: Iterable[str]) -> set[tuple[str, ...]]:
    """The static parts of paths that are resources: the first one, and whatever a path goes on behind.

    >>> sorted(resources_of(["/v1/voices", "/v1/voices/aliases/{name}", "/v1/speech/{id}/audio"]))
    [('speech',), ('voices',), ('voices', 'aliases')]
    """
    found: set[tuple[str, ...]] = set()
    for path in paths:
        parts = segments(path)
        found.add(tuple(parts[:1]))
        for place, part in enumerate(parts[:-1]):
            if not part.startswith("{"):
                found.add(tuple(one for one in parts[: place + 1] if not one.startswith("{")))
    return found


def method_name(method: str, path: str, *, resources: set[tuple[str, ...]], is_list: bool, alone: bool) -> str:
    """What the method is called in its resource; `alone`: the path has no other methods.

    >>> named = lambda method, path, **more: method_name(
    ...     method, path, resources={("speech",)}, is_list=more.get("is_list", False), alone=more.get("alone", True))
    >>> named("get", "/v1/speech", is_list=True), named("post", "/v1/speech"), named("get", "/v1/speech/{id}")
    ('list', 'create', 'get')
    >>> named("post", "/v1/speech/{id}/cancel"), named("get", "/v1/speech/{id}/audio")
    ('cancel', 'audio')
    >>> named("put", "/v1/speech/{id}/audio", alone=False)
    'set_audio'
    """
    if statics(path) in resources:
        return "list" if is_list else VERBS[method]
    leaf = snake(segments(path)[-1])
    return leaf if alone or method == "get" else f"{VERBS[method]}_{leaf}"


def class_names(schemas: dict[str, dict[str, object]]) -> dict[str, str]:
    """Schema → class: what its `object` says if that is one of a kind, else its name without Out."""
    wished = {name: _by_object(name, schema) for name, schema in schemas.items()}
    counts = {one: list(wished.values()).count(one) for one in wished.values()}
    found = {name: one if counts[one] == 1 else _without_out(name) for name, one in wished.items()}
    taken = list(found.values())
    return {name: one if taken.count(one) == 1 else name for name, one in found.items()}


def _by_object(name: str, schema: dict[str, object]) -> str:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or "deleted" in properties or not name.endswith("Out"):
        return _without_out(name)
    said = properties.get("object", {}).get("const")
    return pascal(said) if said and said != "list" else _without_out(name)


def extra_name(name: str) -> str:
    """
    >>> extra_name("EventList"), extra_name("PricesOut")
    ('EventListExtra', 'PricesExtra')
    """
    return f"{_without_out(name)}Extra"


def _without_out(name: str) -> str:
    return name.removesuffix("Out")

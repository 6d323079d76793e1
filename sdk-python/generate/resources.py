"""Emits `_async/resources/`: a module per top-level resource, and what a client is made of."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from document import Document, Operation
from methods import Method
from naming import pascal, snake
from text import HEADER, docstring

IMPORTS = """from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, overload

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.streams import AsyncByteStream, AsyncEventStream
from parlance._async.transport import AsyncTransport
from parlance._call import OMIT, Call, Omit, RequestOptions, is_json, new_key, parse, quoted
from parlance._model import Model
from parlance._generated.models import *
from parlance._generated.params import *

"""
Path = tuple[str, ...]


def tree(document: Document) -> dict[Path, list[Operation]]:
    """Every resource with its operations; those that only hold others are there too."""
    found: dict[Path, list[Operation]] = defaultdict(list)
    for one in document.operations:
        for depth in range(1, len(one.resource)):
            _ = found[one.resource[:depth]]
        found[one.resource].append(one)
    _check_names(found)
    return dict(sorted(found.items()))


def _check_names(found: dict[Path, list[Operation]]) -> None:
    for resource, operations in found.items():
        names = sorted(one.name for one in operations)
        if twice := [name for name, following in pairwise(names) if name == following]:
            raise SystemExit(
                f"sdk: two operations would be {'.'.join(resource)}.{twice[0]}. Give one of them an `x-sdk-name`, "
                "such as resource.method, by its route's `openapi_extra`."
            )


def class_name(resource: Path) -> str:
    return "Async" + "".join(pascal(part) for part in resource) + "Resource"


def module(document: Document, top: str, resources: dict[Path, list[Operation]]) -> str:
    """The source of one top-level resource with those below it."""
    used = sorted({*document.classes.values(), *document.extras.values()})
    own = {path: operations for path, operations in resources.items() if path[0] == top}
    deepest_first = sorted(own, key=lambda path: (-len(path), path))
    source = "\n\n".join(_resource(document, path, own) for path in deepest_first)
    imports = _naming(IMPORTS, "models", [name for name in used if name in source])
    imports = _naming(imports, "params", [name for name in sorted(document.params.values()) if name in source])
    return HEADER.format(title=f"`client.{snake(top)}`.") + imports + source


def _naming(imports: str, module: str, names: list[str]) -> str:
    """The imports with these names of a module instead of all of them."""
    line = f"from parlance._generated.{module} import"
    return imports.replace(f"{line} *\n", f"{line} {', '.join(names)}\n" if names else "")


def _resource(document: Document, path: Path, own: dict[Path, list[Operation]]) -> str:
    methods = [Method(document, one) for one in own[path]]
    below = [child for child in own if len(child) == len(path) + 1 and child[: len(path)] == path]
    lines = [f"class {class_name(path)}:", f'    """`client.{".".join(map(snake, path))}`."""\n']
    lines.append("    def __init__(self, transport: AsyncTransport) -> None:\n        self._transport = transport")
    lines += [f"        self.{snake(child[-1])} = {class_name(child)}(transport)" for child in below]
    with_raw = [one for one in methods if one.raw is not None]
    if with_raw:
        lines.append(_raw_property(path))
    lines += [one.source() for one in methods]
    raw = _raw_class(path, with_raw) if with_raw else ""
    return raw + "\n".join(lines) + "\n"


def _raw_property(path: Path) -> str:
    text = docstring(
        "The same methods; each returns a `RawResponse`: status and headers beside the answer or the page.",
        indent=" " * 8,
    )
    name = f"{class_name(path)}WithRawResponse"
    return f"\n    @property\n    def with_raw_response(self) -> {name}:\n{text}        return {name}(self)\n"


def _raw_class(path: Path, methods: list[Method]) -> str:
    head = f"class {class_name(path)}WithRawResponse:\n    def __init__(self, resource: {class_name(path)}) -> None:\n"
    return head + "".join(f"        self.{one.name} = {one.raw}(resource.{one.name})\n" for one in methods) + "\n\n"


def mixin(resources: dict[Path, list[Operation]]) -> str:
    """The attributes of a client, one per top-level resource."""
    tops = [path[0] for path in resources if len(path) == 1]
    source = HEADER.format(title="What a client has.")
    source += "from parlance._async.transport import AsyncTransport\n"
    source += "".join(f"from parlance._async.resources.{snake(top)} import {class_name((top,))}\n" for top in tops)
    lines = ["\n\nclass AsyncResources:", '    """Every resource of the API."""\n']
    lines.append("    def __init__(self, transport: AsyncTransport) -> None:\n        self._transport = transport")
    lines += [f"        self.{snake(top)} = {class_name((top,))}(transport)" for top in tops]
    return source + "\n".join(lines) + "\n"

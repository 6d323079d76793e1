"""Emits REFERENCE.md: every resource with its methods, their arguments and what they return."""

from __future__ import annotations

from document import Document, Operation
from methods import Method
from naming import snake
from resources import tree
from text import sentence


def reference(document: Document) -> str:
    """The page."""
    parts = [
        "# Reference\n\nEvery method of a client, made from `openapi.json` (API version "
        f"{document.version}) by `make sdk`. `AsyncParlance` has the same methods; await those that return no stream "
        'or list. Every one takes `options={"timeout": …, "max_retries": …, "headers": …}` too.\n'
    ]
    for path, operations in tree(document).items():
        if operations:
            parts.append(f"## client.{'.'.join(map(snake, path))}\n")
            parts += [_method(document, one) for one in operations]
    return "\n".join(parts)


def _method(document: Document, operation: Operation) -> str:
    method = Method(document, operation)
    returns = method.returns.replace("Async", "")
    arguments = [field.name if field.place == "path" else f"{field.name}=" for field in method.fields if field.required]
    title = f"### {operation.name}({', '.join(arguments)}) → `{returns}`\n"
    text = f"`{operation.method} {operation.path}` · {sentence(operation.summary)} {' '.join(operation.text.split())}\n"
    optional = [field for field in method.fields if not field.required]
    rows = "".join(
        f"- `{field.name}`{': ' + ' '.join(field.text.split()) if field.text else ''}\n" for field in optional
    )
    return "\n".join([title, text, *([rows] if rows else [])])

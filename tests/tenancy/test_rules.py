"""Rules of the source that linters do not know: each is one way to lose the tenant, or to hide an import."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Field

ROOT = Path(__file__).parents[2]
PLATFORM = ROOT / "platform"
# django-tenants' own ways to choose a tenant: with our backend they do nothing, or the wrong thing.
THEIRS = {"schema_context", "tenant_context", "get_tenant_model", "schema_exists", "tenant_migrations"}
SETS_SCHEMA = {"tenants/schemas.py", "tenants/postgres/base.py"}  # migrations, and the backend itself


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in (PLATFORM, ROOT / "workers"):
        for path in sorted(folder.rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(folder)), ast.parse(path.read_text("utf-8"))


def _breaches(name: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_tenants"):
            yield from (f"{name}: django_tenants' {alias.name}" for alias in node.names if alias.name in THEIRS)
        if isinstance(node, ast.With | ast.AsyncWith):
            plain = (item.context_expr for item in node.items)
            yield from (f"{name}:{node.lineno} with tenant:" for expression in plain if _is_tenant(expression))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _bad_call(name, node, node.func)


def _bad_call(name: str, node: ast.Call, func: ast.Attribute) -> Iterator[str]:
    if func.attr in {"activate", "deactivate"} and not _is_harmless(func):
        yield f"{name}:{node.lineno} .{func.attr}()"
    if func.attr in {"get_model", "get_registered_model"}:
        yield f"{name}:{node.lineno} a model by its name"
    if func.attr in {"set_tenant", "set_schema", "set_schema_to_public"} and name not in SETS_SCHEMA:
        yield f"{name}:{node.lineno} .{func.attr}()"


def _is_tenant(expression: ast.expr) -> bool:
    last = expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
    return last.removeprefix("_") == "tenant"


def _is_harmless(func: ast.Attribute) -> bool:
    """A time zone, a language or a lane of the queue is activated, not a tenant."""
    return isinstance(func.value, ast.Name) and func.value.id in {"timezone", "translation", "queue"}


def test_nothing_chooses_a_tenant_past_the_context() -> None:
    breaches = [breach for name, tree in _sources() for breach in _breaches(name, tree)]
    assert breaches == []


@pytest.mark.parametrize(
    "planted",
    [
        "with tenant:\n    pass", "with self.tenant:\n    pass", "tenant.activate()",
        "apps.get_model('speech', 'Upload')",
        "from django_tenants.utils import schema_context", "connection.set_tenant(tenant)",
    ],
)  # fmt: skip
def test_the_rule_sees_a_breach(planted: str) -> None:
    assert list(_breaches("speech/planted.py", ast.parse(planted)))


def test_the_rule_leaves_our_own_context_alone() -> None:
    ours = "with tenant_context(tenant_ref(tenant_id)), transaction.atomic():\n    timezone.activate(zone)"
    assert not list(_breaches("speech/planted.py", ast.parse(ours)))


def test_the_rule_reads_the_whole_source() -> None:
    names = [name for name, _ in _sources()]
    assert len(names) > 100
    assert {"tenants/auth.py", "speech/flow.py", "worker.py"} <= set(names)


def test_no_table_refers_to_another_apps_table() -> None:
    ours = {config.label for config in apps.get_app_configs() if PLATFORM in Path(config.path).parents}
    assert {"speech", "tenants", "dispatch", "billing"} <= ours
    relations = [
        (model._meta.label, field.name, field.related_model)
        for label in ours
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.is_relation
    ]
    for model, field, related in relations:
        assert not isinstance(related, str), (model, field)
        assert related._meta.app_label == model.partition(".")[0], (model, field)  # type: ignore[union-attr]


def test_platform_is_a_root_and_hides_no_standard_module() -> None:
    assert [path.name for path in PLATFORM.glob("*.py")] == []
    folders = {path.name for path in PLATFORM.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert not folders & sys.stdlib_module_names
    import platform

    assert platform.python_version().startswith("3.")
    assert Path(str(platform.__file__)).parent != PLATFORM

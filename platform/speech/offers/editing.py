"""Operators' edits of the catalogue: each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from events.facade import record_audit
from speech.catalogue import Catalogue, EngineModel, edited
from speech.catalogue_seeds import SEEDS
from speech.offers.current import catalogue
from speech.offers.models import ModelEdit

OWNER = "owner"


class UnknownModel(ValueError):
    """There is no such model; the text lists those of its engine."""


def set_facts(name: str, facts: Mapping[str, Any], *, adding: bool = False, actor: str = "operator") -> EngineModel:
    """Change or add the model `engine/model`; in force everywhere within half a minute.

    Raises ValueError for a wrong fact, `UnknownModel` for a model that is not there (or, when adding, already is).
    """
    engine, _, model = name.partition("/")
    if not engine or not model:
        raise UnknownModel(f"{name!r} is no model: write engine/model.")
    with transaction.atomic(using=OWNER):
        row = ModelEdit.objects.using(OWNER).select_for_update().filter(engine=engine, model=model).first()
        _check_existence(name, exists=row is not None or name in SEEDS, adding=adding)
        before, after = (row.facts if row else {}), {**(row.facts if row else {}), **facts}
        changed = edited(SEEDS.get(name) or EngineModel(engine, model), after)
        ModelEdit.objects.using(OWNER).update_or_create(engine=engine, model=model, defaults={"facts": after})
        record_audit(
            "model.added" if adding else "model.changed", actor=actor, subject=name, tenant_id=None, before=before,
            after=after, using=OWNER,
        )  # fmt: skip
    catalogue.forget()
    return changed


def reset(name: str, *, actor: str = "operator") -> bool:
    """Drop every edit of the model: what the code comes with holds again. False when there was none."""
    engine, _, model = name.partition("/")
    with transaction.atomic(using=OWNER):
        gone, _ = ModelEdit.objects.using(OWNER).filter(engine=engine, model=model).delete()
        if gone:
            record_audit("model.reset", actor=actor, subject=name, tenant_id=None, using=OWNER)
    catalogue.forget()
    return bool(gone)


def _check_existence(name: str, *, exists: bool, adding: bool) -> None:
    if adding and exists:
        raise UnknownModel(f"{name} is known already: `parlance engines set {name}` changes it.")
    if not adding and not exists:
        known: Catalogue = catalogue()
        others = ", ".join(one for one in known if one.startswith(f"{name.partition('/')[0]}/")) or "none"
        raise UnknownModel(
            f"There is no model {name}. Models of that engine: {others}. `parlance engines add` adds one."
        )

"""The only door to `apikit`."""

from apikit.bodies import read_json
from apikit.forms import Form, FormFile, FormReader
from apikit.front import Front, Guard
from apikit.pages import MAX_LIMIT, decode_cursor, page, page_before
from apikit.problems import (
    FieldError,
    Problem,
    invalid_fields,
    invalid_json,
    not_found,
    unavailable,
    validation_problem,
)
from apikit.schemas import Body, ProblemOut

__all__ = [
    "MAX_LIMIT",
    "Body",
    "FieldError",
    "Form",
    "FormFile",
    "FormReader",
    "Front",
    "Guard",
    "Problem",
    "ProblemOut",
    "decode_cursor",
    "invalid_fields",
    "invalid_json",
    "not_found",
    "page",
    "page_before",
    "read_json",
    "unavailable",
    "validation_problem",
]

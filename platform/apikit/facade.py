"""The only door to `apikit`."""

from apikit.pages import MAX_LIMIT, decode_cursor, page
from apikit.problems import FieldError, Problem, not_found
from apikit.schemas import Body, ProblemOut

__all__ = ["MAX_LIMIT", "Body", "FieldError", "Problem", "ProblemOut", "decode_cursor", "not_found", "page"]

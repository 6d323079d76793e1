"""The values that the API answers with."""

from parlance._generated.models import *  # noqa: F403
from parlance._generated.models import __all__ as __all__

"""What belongs to the whole: every package's walls and functions, in literal lists."""

from __future__ import annotations

import apikit.database
import billing.walls
import dispatch.walls
import events.walls
import tenants.walls
import webhooks.walls

WALLS = (
    *apikit.database.WALLS,
    *events.walls.WALLS,
    *dispatch.walls.WALLS,
    *tenants.walls.WALLS,
    *webhooks.walls.WALLS,
    *billing.walls.WALLS,
)
FUNCTIONS = (*apikit.database.FUNCTIONS, *dispatch.walls.FUNCTIONS, *tenants.walls.FUNCTIONS)

"""Walls of `apikit`'s own table, and who may look after partitions."""

from apikit.walls import Wall

WALLS = (Wall("idempotency_row", app="SELECT, INSERT", system="", finance=""),)
FUNCTIONS = (
    """
    GRANT EXECUTE ON FUNCTION public.parlance_make_partitions(text, text, int) TO "{system}";
    GRANT EXECUTE ON FUNCTION public.parlance_drop_partitions(text, text, int) TO "{system}";
    GRANT USAGE ON SCHEMA public TO "{app}", "{system}";
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{app}", "{system}"
    """,
)

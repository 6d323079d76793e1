"""What can go wrong in the demo."""


class DemoError(Exception):
    """A step that failed, why, and what to do next."""

    def __init__(self, step: str, *, detail: str, todo: str) -> None:
        """Keep the three parts apart for printing."""
        super().__init__(f"{step}: {detail}")
        self.step, self.detail, self.todo = step, detail, todo

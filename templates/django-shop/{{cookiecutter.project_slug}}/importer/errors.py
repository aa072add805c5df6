"""What an import refuses."""

from collections.abc import Sequence


class TakenOverError(Exception):
    """Somebody else does it, who took us for dead."""


class FileRefusedError(Exception):
    """Nothing of a file was imported: `problems` has what is wrong, each with its line (0: with the whole file)."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {what}" if line else what for line, what in problems))
        self.problems = list(problems)

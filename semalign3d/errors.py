"""The error that bad input raises: what is wrong, where, and what to do."""

from collections.abc import Sequence


class InputError(ValueError):
    """Input that cannot be used; lists every problem that was found, not only the first.

    Parameters
    ----------
    problems : one text per problem; each names the file, key or image, what was expected and
        what was found. A single text counts as one problem.
    hint : what to do about it, shown once below the problems.

    Attributes
    ----------
    problems : tuple of the texts.
    hint : the hint, or an empty text.
    """

    def __init__(self, problems: str | Sequence[str], hint: str = "") -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        self.hint = hint
        super().__init__(self.problems, hint)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            lines = [self.problems[0]]
        else:
            lines = [f"{len(self.problems)} problems:", *(f"  - {text}" for text in self.problems)]
        return "\n".join([*lines, self.hint] if self.hint else lines)

"""What becomes of a line that cannot stay: the file is refused for it, or the line is left out and listed."""

from dataclasses import dataclass, field

from data.errors import ImportRefused


@dataclass(slots=True)
class BadLines:
    """Wraps the reading of one line or item of a file: `with bad: …`.

    Without `skip` a refusal goes through, and with it the file. With `skip` it is kept in `left_out`,
    and the reader goes on to the next line.
    """

    skip: bool = False
    left_out: list[ImportRefused] = field(default_factory=list)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if self.skip and isinstance(error, ImportRefused):
            self.left_out.append(error)
            return True
        return False


REFUSED = BadLines()
"""The rule without `--skip-bad`: a file comes in whole or not at all."""

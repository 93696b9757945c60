"""The labels that a study's answers contradict, as a value that shows itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from tessera.doubts import Doubt, Doubts
from tessera.notebook import html

MOST = 50
"""Rows shown; all are in `rows`."""


@dataclass(frozen=True)
class DoubtfulLabels:
    """Labels worth checking, the most contradicted first."""

    found: Doubts

    @property
    def rows(self) -> tuple[Doubt, ...]:
        """All of them: image, label, suggestion, and the probability of either."""
        return self.found.rows

    def __repr__(self) -> str:
        """A line for each, and what they are worth."""
        lines = [
            f"{row.image}: {row.label} {row.probability:.1%}, or {row.suggested} "
            f"{row.suggested_probability:.1%}"
            for row in self.rows[:MOST]
        ]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        rows = [
            (
                row.image,
                row.label,
                f"{row.probability:.1%}",
                row.suggested,
                f"{row.suggested_probability:.1%}",
            )
            for row in self.rows[:MOST]
        ]
        head = ("image", "label", "probability", "suggested", "probability")
        table = html.table("Labels worth checking", head, rows)
        return html.page([table, *map(html.paragraph, self._notes())])

    def _notes(self) -> Iterator[str]:
        if len(self.rows) > MOST:
            yield f"The first {MOST} of {len(self.rows):,}."
        yield from filter(None, (self.found.said_by, self.found.summary))

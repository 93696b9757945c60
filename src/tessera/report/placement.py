"""Where labels stand beside dots, so that none covers a dot or another label.

All lengths are in printer's points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_AROUND = ((7, -3), (-7, -3), (0, 7), (0, -13), (7, 6), (-7, 6), (7, -12), (-7, -12))
"""Where a label may stand beside its dot: right, up."""
_DOT, _LETTER, _RISE = 6.0, 4.3, 2.7
"""A dot's width, a letter's, and how far a label's middle is above its foot."""


@dataclass(frozen=True)
class Spot:
    """A dot or the middle of a label, from the panel's lower left corner."""

    x: float
    y: float
    half: float = 0.0
    """Of its width, for a label."""

    def away(self, other: "Spot") -> float:
        """Distance of a label from another one or from a dot."""
        beside = abs(self.x - other.x) - self.half - other.half
        return math.hypot(max(beside, 0.0), self.y - other.y)


def together(spots: Sequence[Spot]) -> list[list[int]]:
    """Positions of dots that touch, directly or by others between them."""
    found: list[list[int]] = []
    for i, spot in enumerate(spots):
        near = [g for g in found if any(spot.away(spots[j]) < _DOT for j in g)]
        found = [g for g in found if g not in near]
        found.append(sorted([i, *(j for g in near for j in g)]))
    return sorted(found)


def ranks(members: Sequence[int]) -> str:
    """Ranks from 1 of ascending positions, say `2, 5-7` with an en dash."""
    parts: list[list[int]] = []
    for i in members:
        if parts and parts[-1][-1] == i - 1:
            parts[-1].append(i)
        else:
            parts.append([i])
    dashes = ["\N{EN DASH}" if len(part) > 2 else ", " for part in parts]
    return ", ".join(
        dash.join(str(i + 1) for i in dict.fromkeys((part[0], part[-1])))
        for part, dash in zip(parts, dashes, strict=True)
    )


def free(
    text: str,
    spots: Sequence[Spot],
    members: Sequence[int],
    taken: Sequence[Spot],
    side: float,
) -> tuple[int, tuple[int, int], Spot]:
    """Beside which dot, and where, a label is farthest from all else, inside.

    Args:
        text: The label.
        spots: All dots.
        members: Positions of those that the label is for.
        taken: Dots and the labels that stand already.
        side: The panel's width.

    Returns:
        The dot's position, the label's place beside it (right, up), and its middle.
    """
    half = _LETTER * len(text) / 2
    choices = []
    for at in members:
        for right, up in _AROUND:
            x = spots[at].x + right + half * np.sign(right)
            spot = Spot(float(x), spots[at].y + up + _RISE, half)
            inside = half <= spot.x <= side - half
            room = min(spot.away(other) for other in taken)
            choices.append(((inside, room), (at, (right, up), spot)))
    return max(choices, key=lambda choice: choice[0])[1]

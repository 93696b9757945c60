"""What a run's percentages are: calibrated where its study knows a temperature."""

from dataclasses import replace

from tessera.evaluation.outcomes import Outcome
from tessera.evaluation.probabilities import of_class, softmax
from tessera.record import CellSummary
from tessera.report.load import Explained


def temperature(cell: CellSummary, stored: Explained | None) -> float | None:
    """What divides the logits of a cell's first seed; None where it is not known.

    Args:
        cell: Of a study, whose statistics decide.
        stored: Images that the first seed explained: what divided their logits counts
            where the study knows none.
    """
    if cell.temperature is not None:
        return cell.temperature.values[0]
    return stored.temperature if stored is not None else None


def calibrated(
    found: Explained, cell: CellSummary, outcome: Outcome | None
) -> Explained:
    """Explained images with the probabilities that `temperature` gives.

    They come from the run's answers, so that files of before calibrated ones were
    stored show them too; without answers the images stay as they are.
    """
    if outcome is None:
        return found
    warmth = temperature(cell, found)
    shares = softmax(outcome.logits[found.indices], warmth or 1.0)
    return replace(
        found, probabilities=of_class(shares, found.targets), temperature=warmth
    )


def words(temperature: float | None) -> str:
    """What percentages are, the end of a sentence."""
    if temperature is None:
        return "the model's own, before temperature scaling"
    if temperature == 1.0:
        return "not calibrated: too few validation images, or none that tell T"
    return f"calibrated on validation images (temperature {temperature:.2f})"

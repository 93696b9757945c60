"""What a search may change about a run, and within which bounds."""

from tessera.experiment import Model, Run
from tessera.frozen import Setting

RATES = (1e-4, 1e-2)
"""Learning rates of Adam that are searched, evenly in their logarithm."""

BATCHES = (32, 64, 128, 256)

DROPOUTS = (0.0, 0.6)
"""Where a model has a dropout."""


class Space(Setting):
    """The values that one model's search may take."""

    learning_rate: tuple[float, float]
    """Lowest and highest, evenly in the logarithm."""
    batch_size: tuple[int, ...]
    dropout: tuple[float, float] | None
    """Lowest and highest; None: the model has none."""


class Values(Setting):
    """A point of the space."""

    learning_rate: float
    batch_size: int
    dropout: float | None = None

    def words(self) -> str:
        """The values as a reader wants them."""
        dropout = "" if self.dropout is None else f", dropout {self.dropout:.2g}"
        rate = f"learning rate {self.learning_rate:.2g}"
        return f"{rate}, batch size {self.batch_size}{dropout}"


def space(run: Run) -> Space:
    """What is searched around a run: its own values are always inside."""
    rate, dropout = run.training.learning_rate, dropout_of(run.model)
    return Space(
        learning_rate=(min(RATES[0], rate), max(RATES[1], rate)),
        batch_size=tuple(sorted({*BATCHES, run.training.batch_size})),
        dropout=None if dropout is None else (DROPOUTS[0], max(DROPOUTS[1], dropout)),
    )


def own_values(run: Run) -> Values:
    """The point of the space that the experiment itself is at."""
    return Values(
        learning_rate=run.training.learning_rate,
        batch_size=run.training.batch_size,
        dropout=dropout_of(run.model),
    )


def configured(run: Run, values: Values) -> Run:
    """The run with other values."""
    model = with_dropout(run.model, values.dropout)
    training = run.training.model_copy(
        update={"learning_rate": values.learning_rate, "batch_size": values.batch_size}
    )
    return run.model_copy(update={"model": model, "training": training})


def dropout_of(model: Model) -> float | None:
    """The model's dropout; None: it has none."""
    value: float | None = getattr(model, "dropout", None)
    return value


def with_dropout(model: Model, dropout: float | None) -> Model:
    """The model with another dropout; None leaves it as it is."""
    return model if dropout is None else model.model_copy(update={"dropout": dropout})

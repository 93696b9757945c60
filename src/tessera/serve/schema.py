"""What the endpoint says, as `/openapi.json` documents it."""

from pydantic import BaseModel, Field


class Share(BaseModel):
    """One class and its probability."""

    name: str
    probability: float = Field(
        description="0 to 1. Calibrated as far as the model's `calibration` says."
    )


class Branches(BaseModel):
    """What each of a hybrid's branches adds to the explained class's logit."""

    target: str
    names: tuple[str, str]
    parts: tuple[float, float] = Field(
        description="In logits, against the mean vectors of the example images: "
        "Shapley values of two players, so base and both parts sum to the logit."
    )
    base: float


class Heatmap(BaseModel):
    """Where the evidence for one class lies; it proves no cause."""

    method: str
    layer: str
    target: str
    values: list[list[float]] = Field(
        description="Signed evidence per cell; of Grad-CAM and occlusion, in logits."
    )
    blank_because: str = Field(description="Why the map is blank; empty if it is not.")
    cautions: list[str]
    overlay: str = Field(
        description="A PNG as a data URL: the map's positive part, to lay over `seen`."
    )


class Answer(BaseModel):
    """What the model says about one image."""

    answers: list[Share] = Field(description="Every class, most probable first.")
    width: int = Field(description="Of the file, in pixels.")
    height: int
    seen: str = Field(
        description="What the model was given: a PNG of its size as a data URL."
    )
    heatmap: Heatmap | None
    branches: Branches | None


class ClassFacts(BaseModel):
    """How the model fares with one class on the test set."""

    name: str
    trained_on: int = Field(description="Images that the training saw.")
    recall: float = Field(description="Share of the class's images that it finds.")
    recall_interval: tuple[float, float] = Field(description="95 %.")
    precision: float | None = Field(
        description="Share of its answers that are right; null where the test set has "
        "no such answer."
    )
    precision_interval: tuple[float, float] | None = Field(
        description="95 %; null with `precision`."
    )
    rare: bool = Field(description="Whether training had few images of it.")
    examples: int = Field(description="Pictures at /api/examples/CLASS/NUMBER.")


class Method(BaseModel):
    """A way to draw a heatmap."""

    key: str
    name: str


class Model(BaseModel):
    """The model's card."""

    title: str
    data: str
    architecture: str
    regime: str
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    parameters: int
    temperature: float
    calibration: str = Field(
        description="Whether probabilities are calibrated and on how many validation "
        "images, a sentence."
    )
    image_size: int
    classes: list[ClassFacts]
    limits: list[str]
    methods: list[Method]
    branches: bool = Field(description="Whether answers come with branch shares.")
    report: bool = Field(description="Whether /report shows the study.")

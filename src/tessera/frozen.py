"""The base of every setting: frozen, strict, finite, refusing keys it does not know."""

from pydantic import BaseModel, ConfigDict


class Setting(BaseModel):
    """A frozen group of settings that refuses keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False
    )

"""Run by `test_build` in a process with the other Keras backend.

    python forward_elsewhere.py FOLDER SETTINGS

Reads `here.npz` (images, labels, each model's weights), writes `there.npz` (logits
and losses).
"""

import json
import sys
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from tessera import runtime
from tessera.experiment import Model


def main(folder: Path, settings: str) -> None:
    runtime.load_backend(alone=True)
    import keras

    from tessera.imbalance.losses import cross_entropy
    from tessera.models.build import build

    here, results = dict(np.load(folder / "here.npz")), {}
    for index, setting in enumerate(json.loads(settings)):
        model = TypeAdapter(Model).validate_python(setting)
        net = build(model, here["images"].shape[1:], 10, seed=0)
        net.set_weights([here[f"{index}/{i}"] for i in range(len(net.weights))])
        logits = net(here["images"])
        losses = cross_entropy(here["labels"], logits)
        results[f"logits/{index}"] = keras.ops.convert_to_numpy(logits)
        results[f"losses/{index}"] = keras.ops.convert_to_numpy(losses)
    np.savez(folder / "there.npz", **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""An exported model -> code that shows one picture to it, for the card.

The code runs in the folder of the export. It needs the format's own runtime and
nothing of Tessera.
"""

from typing import assert_never

from tessera.export.named import FILES, Format

READ = """\
from PIL import Image, ImageOps
import numpy as np

image = ImageOps.exif_transpose(Image.open("photo.jpg"))
if image.mode.startswith("I"):  # grey in 16 bits
    image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
image = image.convert("RGBA")
white = Image.new("RGBA", image.size, "white")
image = Image.alpha_composite(white, image).convert("RGB")
image = image.resize(({side}, {side}), Image.Resampling.BILINEAR)
pixels = np.asarray(image, np.float32)[None]  # [1, {side}, {side}, 3]"""

NAME = """\
with open("labels.txt", encoding="utf-8") as file:
    labels = [line.rstrip("\\n") for line in file]
print(labels[probabilities[0].argmax()], probabilities[0].max())"""


def reading(side: int) -> str:
    """Code from `photo.jpg` to `pixels`, as training reads a picture."""
    return READ.format(side=side)


def running(form: Format, *, heatmap: bool = False) -> str:
    """Code from `pixels` to `probabilities` and the name of the answer.

    Args:
        form: The format.
        heatmap: Whether the model gives one as well.
    """
    return f"{_called(form, heatmap)}\n\n{NAME}"


def _called(form: Format, heatmap: bool) -> str:
    file = FILES[form]
    match form:
        case "keras":
            return (
                "import keras\n\n"
                f'model = keras.saving.load_model("{file}", compile=False)\n'
                "probabilities = model.predict(pixels, verbose=0)"
            )
        case "onnx" | "onnx-int8":
            outputs = "probabilities, heatmap" if heatmap else "(probabilities,)"
            return (
                "import onnxruntime\n\n"
                f'model = onnxruntime.InferenceSession("{file}")\n'
                f'{outputs} = model.run(None, {{"pixels": pixels}})'
            )
        case "litert":
            return (
                "from ai_edge_litert.interpreter import Interpreter\n\n"
                f'model = Interpreter("{file}").get_signature_runner()\n'
                'probabilities = model(pixels=pixels)["output_0"]'
            )
        case "saved-model":
            return (
                "import tensorflow as tf\n\n"
                f'model = tf.saved_model.load("{file}")\n'
                "probabilities = model.serve(pixels).numpy()"
            )
        case _:
            assert_never(form)

"""The verbs of `import tessera`: what the command line does, with values for results.

    import tessera

    photos = tessera.load_data("photos")
    result = tessera.study(photos, epochs=40, seeds=5)
    answers = tessera.predict(result, "new-photos")

A result shows itself at the end of a notebook's cell. The folders are the state here
too: a study that was stopped continues when its cell is run again.
"""

from tessera import runtime

# Before what follows loads it: with the settings that it reads then, and quietly.
runtime.prepare()
runtime.load_backend()

from tessera.api.training import load_data as load_data  # noqa: E402
from tessera.api.training import study as study  # noqa: E402
from tessera.api.training import train as train  # noqa: E402
from tessera.api.using import evaluate as evaluate  # noqa: E402
from tessera.api.using import explain as explain  # noqa: E402
from tessera.api.using import predict as predict  # noqa: E402

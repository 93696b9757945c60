"""The verbs of `import tessera`: what the command line does, with values for results.

    import tessera

    photos = tessera.load_data("photos")
    result = tessera.study(photos, epochs=40, seeds=5)
    answers = tessera.predict(result, "new-photos")

A result shows itself at the end of a notebook's cell. The folders are the state here
too: a study that was stopped continues when its cell is run again.
"""

from tessera import runtime
from tessera.api.previewing import preview as preview
from tessera.api.training import load_data as load_data
from tessera.api.training import study as study
from tessera.api.training import train as train
from tessera.api.using import evaluate as evaluate
from tessera.api.using import explain as explain
from tessera.api.using import export as export
from tessera.api.using import labels as labels
from tessera.api.using import predict as predict

# A framework is loaded by the first verb that needs one, or by the user before: with
# these settings either way.
runtime.prepare()

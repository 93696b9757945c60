"""The machine a run happens on: switches set before a framework loads, and facts.

Nothing here imports a framework unless a function is asked for one.
"""

import contextlib
import gc
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tessera import __version__, loading, machine
from tessera.record import Environment

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "scikit-learn")


class MissingBackend(RuntimeError):
    """Neither TensorFlow nor JAX can be imported."""


def prepare(threads: int | None = None) -> None:
    """Set the environment that the frameworks read when they load.

    oneDNN doubles the speed of convolutions on recent x86 CPUs. A variable that the
    user has set is left as it is.

    Args:
        threads: Threads for one training; None leaves the choice to the framework.

    Raises:
        MissingBackend: The chosen backend is not installed.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # Each would take most of a GPU's memory at once, and leave no room for the others.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if threads is not None:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    backend = os.environ["KERAS_BACKEND"]
    if backend == "jax":
        _keep_programs()
    if importlib.util.find_spec(backend) is None:
        raise MissingBackend(
            f"KERAS_BACKEND: expected an installed framework. Received: {backend!r}, "
            "which is not installed. In the checkout, `pip install '.[cpu]'` installs "
            "TensorFlow, and `pip install '.[jax]'` JAX, used with KERAS_BACKEND=jax."
        )


def _keep_programs() -> None:
    """Have JAX keep what it compiles: else every run of a study compiles it anew."""
    # A cache that cannot be written, or a user without a home, is none.
    with contextlib.suppress(OSError, RuntimeError):
        folder = machine.programs_folder()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))


def load_backend(*, alone: bool = False) -> None:
    """Import Keras with its backend, without their start-up chatter.

    Args:
        alone: The process does Tessera's work and nothing else. Then what the
            frameworks import for their other users is left out, and the garbage
            collector never looks again at what they made of themselves.
    """
    with loading.interrupt_put_off():
        import_backend(alone=alone)
        _compute_first(alone=alone)
    # Each model of a study is traced once; TensorFlow takes that for a mistake.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def import_backend(*, alone: bool = False) -> None:
    """Import Keras with its backend and compute nothing, so that no thread starts.

    Args:
        alone: See `load_backend`.
    """
    if "keras" in sys.modules:
        return
    with (
        loading.without_chatter(),
        loading.garbage_put_off(),
        loading.hidden(_unused() if alone else ()),
    ):
        importlib.import_module("keras")
    if alone:
        gc.freeze()


def _compute_first(*, alone: bool) -> None:
    """Do what has notes of its own the first time, and what else is looked for then."""
    with loading.without_chatter(), loading.hidden(_unused() if alone else ()):
        import keras

        keras.ops.zeros(1)
        if alone:
            keras.utils.set_random_seed(0)  # looks for TensorFlow on JAX too


def _unused() -> tuple[str, ...]:
    """What Keras and TensorFlow import where it is installed, and can do without.

    Keras wraps models for scikit-learn, draws by matplotlib and, on JAX, would seed
    TensorFlow too; TensorFlow's converter for phones takes JAX's functions.
    """
    frameworks = {"tensorflow", "jax"} - {os.environ["KERAS_BACKEND"]}
    return ("sklearn", "matplotlib", *frameworks)


def make_deterministic(seed: int) -> None:
    """Seed the framework and choose operations whose results repeat bit by bit."""
    import keras

    with loading.without_chatter():  # on JAX Keras imports TensorFlow here, if any
        keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def forget() -> None:
    """Give back what a finished model holds; a worker would grow with every run."""
    import keras

    keras.backend.clear_session(free_memory=True)


def environment(threads: int | None = None) -> Environment:
    """Describe this machine and these versions, for a record."""
    commit, dirty = _git_state()
    cores = os.cpu_count() or 1
    return Environment(
        tessera=__version__,
        commit=commit,
        dirty=dirty,
        python=platform.python_version(),
        packages=versions(),
        backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
        device=_device(),
        cores=cores,
        threads=threads or cores,
        platform=f"{platform.system()} {platform.machine()}",
    )


SWITCHES = (
    *("TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    *("OMP_NUM_THREADS", "XLA_FLAGS", "JAX_ENABLE_X64", "TF_XLA_FLAGS"),
)
"""Variables of the environment by which frameworks decide how to compute."""


def numerics() -> dict[str, Any]:
    """What may change a result's last bits: machine, versions, commit, switches."""
    chosen = {name: os.environ.get(name) for name in SWITCHES}
    return environment().model_dump(mode="json") | chosen


@cache
def _git_state() -> tuple[str | None, bool | None]:
    """Commit of the checkout this package lies in, and whether it was changed."""
    here = Path(__file__).parent
    try:
        commit = _git(here, "rev-parse", "HEAD")
        tracked = _git(here, "ls-files", "--", __file__)
        if not tracked:
            return None, None
        return commit, bool(_git(here, "status", "--porcelain", "--", "."))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Of those of `PACKAGES` that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def on_processor() -> bool:
    """Whether models are computed by the processor, and no accelerator."""
    return _device() == machine.processor()


def _device() -> str:
    """The accelerator's name, or the processor's."""
    match os.environ.get("KERAS_BACKEND", "tensorflow"):
        case "jax" if importlib.util.find_spec("jax"):
            return _jax_device()
        case "tensorflow" if "tensorflow" in versions():  # tensorflow-cpu knows no GPU
            return _tensorflow_device()
        case _:
            return machine.processor()


def _jax_device() -> str:
    import jax

    device = jax.devices()[0]
    return str(device.device_kind) if device.platform != "cpu" else machine.processor()


def _tensorflow_device() -> str:
    with loading.without_chatter():
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        details = tf.config.experimental.get_device_details(device)
        return str(details.get("device_name", "GPU"))
    return machine.processor()

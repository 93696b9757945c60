"""The machine a run happens on: switches set before a framework loads, and facts.

Nothing here imports a framework unless a function is asked for one.
"""

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
from functools import cache
from pathlib import Path

from tessera import __version__
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
    if threads is not None:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    backend = os.environ["KERAS_BACKEND"]
    if importlib.util.find_spec(backend) is None:
        raise MissingBackend(
            f"KERAS_BACKEND: expected an installed framework. Received: {backend!r}, "
            "which is not installed. Install one with `pip install 'tessera[cpu]'` "
            "(TensorFlow) or `pip install 'tessera[jax]'` and KERAS_BACKEND=jax."
        )


def make_deterministic(seed: int) -> None:
    """Seed the framework and choose operations whose results repeat bit by bit."""
    import keras

    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def environment(threads: int | None = None) -> Environment:
    """Describe this machine and these versions, for a record."""
    commit, dirty = _git_state()
    cores = os.cpu_count() or 1
    return Environment(
        tessera=__version__,
        commit=commit,
        dirty=dirty,
        python=platform.python_version(),
        packages=_versions(),
        backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
        device=_device(),
        cores=cores,
        threads=threads or cores,
        platform=f"{platform.system()} {platform.machine()}",
    )


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


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _device() -> str:
    """The accelerator's name, or the processor's."""
    if os.environ.get("KERAS_BACKEND") == "jax" and importlib.util.find_spec("jax"):
        import jax

        device = jax.devices()[0]
        if device.platform != "cpu":
            return str(device.device_kind)
    return _processor()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()

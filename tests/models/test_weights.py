"""Weights are plain arrays of the right shapes, or Keras never reads them."""

import os
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

from tessera import files
from tessera.experiment import MODELS, Cnn
from tessera.models import build, weights
from tessera.models.blocks import ModelError


@pytest.fixture(scope="module")
def net():
    return build.build(Cnn(), (16, 16, 3), 3, seed=0)


@pytest.fixture
def saved(net, tmp_path: Path) -> Path:
    net.save_weights(tmp_path / "a.weights.h5")
    return tmp_path / "a.weights.h5"


def test_weights_come_back_as_they_went(net, saved: Path) -> None:
    other = build.build(Cnn(), (16, 16, 3), 3, seed=1)
    weights.load(other, saved)
    for a, b in zip(net.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", MODELS, ids=lambda model: model.kind)
def test_equal_weights_are_the_same_file_whatever_was_built_before(
    kind, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{name}.weights.h5" for name in ("first", "second")]
    for path in paths:
        weights.save(build.build(kind, (16, 16, 3), 3, seed=0), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_was_there_is_replaced_whole_whatever_name_a_callback_gives(
    net, saved: Path
) -> None:
    other = build.build(Cnn(), (16, 16, 3), 3, seed=1)
    weights.Keeper(other, saved).save_weights("elsewhere.weights.h5", overwrite=True)
    weights.load(net, saved)
    np.testing.assert_array_equal(net.get_weights()[0], other.get_weights()[0])
    assert [entry.name for entry in saved.parent.iterdir()] == [saved.name]


@pytest.mark.parametrize("size", [0, 1, 5_000, 30_000, 100_000])
def test_a_full_disk_is_named_and_the_old_weights_stay(
    net, saved: Path, size: int, capfd
) -> None:
    resource = pytest.importorskip("resource", reason="no such limit on this system")
    old, soft = saved.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, soft[1]))
    try:
        with pytest.raises(files.CannotWrite, match=r"weights\.h5: expected room"):
            weights.save(net, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)
        signal.signal(signal.SIGXFSZ, before)
    assert capfd.readouterr().err == ""
    assert saved.read_bytes() == old
    assert [entry.name for entry in saved.parent.iterdir()] == [saved.name]


def test_a_file_is_no_larger_than_the_room_made_for_it(net, saved: Path) -> None:
    arrays = net.get_weights()
    room = sum(array.nbytes + weights.OVERHEAD for array in arrays)
    assert sum(array.nbytes for array in arrays) < saved.stat().st_size < room


def test_weights_of_another_model_are_refused(saved: Path) -> None:
    other = build.build(Cnn(), (16, 16, 3), 5, seed=0)
    with pytest.raises(ModelError, match=r"expected the weights of the model 'cnn'"):
        weights.load(other, saved)


def test_a_missing_file_is_named(net, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.weights\.h5"):
        weights.load(net, tmp_path / "none.weights.h5")


def outside(tmp_path: Path) -> Path:
    """Another file with numbers in it, which must not be read."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["0"] = np.full((3, 3, 3, 32), 7.0, np.float32)
    return tmp_path / "secret.h5"


def external_link(file: h5py.File, tmp_path: Path) -> None:
    file["layers/conv2d/vars/0"] = h5py.ExternalLink(outside(tmp_path), "/0")


def external_group(file: h5py.File, tmp_path: Path) -> None:
    del file["layers/conv2d_1"]
    file["layers/conv2d_1"] = h5py.ExternalLink(outside(tmp_path), "/")


def soft_link(file: h5py.File, tmp_path: Path) -> None:
    file["layers/conv2d/vars/0"] = h5py.SoftLink("/layers/conv2d_1/vars/0")


def external_storage(file: h5py.File, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret content" * 1000)
    file.create_dataset(
        "layers/conv2d/vars/0",
        shape=(3, 3, 3, 32),
        dtype="f4",
        external=[(str(tmp_path / "secret"), 0, 3456)],
    )


def virtual(file: h5py.File, tmp_path: Path) -> None:
    layout = h5py.VirtualLayout(shape=(3, 3, 3, 32), dtype="f4")
    layout[...] = h5py.VirtualSource(outside(tmp_path), "0", shape=(3, 3, 3, 32))
    file.create_virtual_dataset("layers/conv2d/vars/0", layout)


def packed(file: h5py.File, tmp_path: Path) -> None:
    file.create_dataset(
        "layers/conv2d/vars/0", shape=(2**30,), dtype="f4", compression="gzip"
    )


def promised(file: h5py.File, tmp_path: Path) -> None:
    file.create_dataset("layers/conv2d/vars/0", shape=(2**40,), dtype="f4")


def text(file: h5py.File, tmp_path: Path) -> None:
    file["layers/conv2d/vars/0"] = "text"


def references(file: h5py.File, tmp_path: Path) -> None:
    file["layers/conv2d/vars/0"] = file["layers"].ref


def named_type(file: h5py.File, tmp_path: Path) -> None:
    file["layers/conv2d/vars/0"] = np.dtype("f4")


def endless(file: h5py.File, tmp_path: Path) -> None:
    file["layers/again"] = file["layers"]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (external_link, "ExternalLink"),
        (external_group, "ExternalLink"),
        (soft_link, "SoftLink"),
        (external_storage, "content in another file"),
        (virtual, "content in another file"),
        (packed, "packed in chunks"),
        (promised, "arrays of 4,398,"),
        (text, "no array of numbers"),
        (references, "no array of numbers"),
        (named_type, "no array of numbers"),
        (endless, "more than 20,000 objects"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_no_weights_need_is_refused(
    net, saved: Path, tmp_path: Path, harm, reason
) -> None:
    before = [array.copy() for array in net.get_weights()]
    with h5py.File(saved, "a") as file:
        del file["layers/conv2d/vars/0"]
        harm(file, tmp_path)
    with pytest.raises(ModelError, match=reason):
        weights.load(net, saved)
    for a, b in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + b"\0" * 90]
)
def test_what_is_no_hdf5_is_refused(net, tmp_path: Path, content) -> None:
    (tmp_path / "a.weights.h5").write_bytes(content)
    with pytest.raises(ModelError, match="expected plain weights"):
        weights.load(net, tmp_path / "a.weights.h5")


def test_a_file_cut_short_is_refused(net, saved: Path) -> None:
    whole = saved.read_bytes()
    for part in (1, len(whole) // 3, len(whole) - 1):
        saved.write_bytes(whole[:part])
        with pytest.raises(ModelError):
            weights.load(net, saved)


def test_a_huge_file_is_not_opened(net, tmp_path: Path) -> None:
    path = tmp_path / "a.weights.h5"
    with path.open("wb") as file:
        os.truncate(file.fileno(), weights.MAX_BYTES + 1)
    with pytest.raises(ModelError, match="2,147,483,649 bytes, more than"):
        weights.load(net, path)

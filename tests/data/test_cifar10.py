"""A local CIFAR-10 is read from its archive or its folder, in the batches' order."""

import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tessera.data import cifar10, decode
from tessera.data.dataset import DataError

NAMES = [b"airplane", b"automobile", b"bird"]


def batch(number: int) -> dict[bytes, object]:
    """Three images, one of each class; every channel one value of its own."""
    rows = [
        np.repeat(np.array([number, label, 200], dtype=np.uint8), 1024)
        for label in range(3)
    ]
    return {b"data": np.stack(rows), b"labels": [0, 1, 2], b"batch_label": b"tiny"}


@pytest.fixture
def batches(tmp_path: Path) -> Path:
    """A `cifar-10-batches-py` with three images a batch, as pickle writes it."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    contents = {name: batch(n) for n, name in enumerate(cifar10.TRAIN, start=1)}
    contents |= {cifar10.TEST: batch(6), cifar10.META: {b"label_names": NAMES}}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return folder


@pytest.fixture
def archive(batches: Path) -> Path:
    file = batches.parent / "download" / "cifar-10-python.tar.gz"
    file.parent.mkdir()
    with tarfile.open(file, "w:gz") as tar:
        tar.add(batches, arcname="cifar-10-batches-py")
    return file


def test_batches_follow_one_another_and_rows_become_images(batches) -> None:
    dataset = cifar10.load(batches, image_size=32)
    assert dataset.class_names == ("airplane", "automobile", "bird")
    assert dataset.train.labels.tolist() == [0, 1, 2] * 5
    assert len(dataset.test) == 3
    assert dataset.image_shape == (32, 32, 3)
    corners = dataset.train.images[:, 0, 0]
    assert corners.tolist() == [[n, c, 200] for n in range(1, 6) for c in range(3)]
    assert np.all(dataset.train.images == corners[:, None, None])


def test_the_archive_and_its_folder_are_the_same_dataset(batches, archive) -> None:
    found = {
        cifar10.load(path, image_size=32).fingerprint
        for path in (batches, batches.parent, archive, archive.parent)
    }
    assert len(found) == 1


def test_a_copy_that_is_not_the_official_one_does_not_take_its_name(batches) -> None:
    assert cifar10.load(batches, image_size=32).name != "CIFAR-10"


def test_images_are_brought_to_another_size(batches) -> None:
    assert cifar10.load(batches, image_size=16).image_shape == (16, 16, 3)
    assert cifar10.load(batches, image_size=32).image_shape == (32, 32, 3)


def test_the_second_start_reads_no_batch(batches) -> None:
    first = cifar10.load(batches, image_size=32)
    damaged = batches / "data_batch_1"
    facts = damaged.stat()
    damaged.write_bytes(b"\0" * facts.st_size)
    os.utime(damaged, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    second = cifar10.load(batches, image_size=32)
    assert second.fingerprint == first.fingerprint
    assert isinstance(second.train.images, np.memmap)


def test_another_rule_of_decoding_reads_the_batches_anew(batches, monkeypatch) -> None:
    cifar10.load(batches, image_size=32)
    damaged = batches / "data_batch_1"
    facts = damaged.stat()
    damaged.write_bytes(b"\0" * facts.st_size)
    os.utime(damaged, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    monkeypatch.setattr(decode, "VERSION", decode.VERSION + 1)
    with pytest.raises(DataError, match="data_batch_1"):
        cifar10.load(batches, image_size=32)


def test_a_changed_copy_is_read_anew(batches) -> None:
    cifar10.load(batches, image_size=32)
    (batches / "data_batch_1").write_bytes(b"something else")
    with pytest.raises(DataError, match="data_batch_1"):
        cifar10.load(batches, image_size=32)


def test_a_hostile_batch_is_refused_and_its_code_does_not_run(
    batches, tmp_path
) -> None:
    canary = tmp_path / "canary"
    code = f"cposix\nsystem\n(S'echo > {canary}'\ntR.".encode()
    (batches / "test_batch").write_bytes(code)
    with pytest.raises(DataError, match=r"refused to read test_batch: .*posix\.system"):
        cifar10.load(batches, image_size=32)
    assert not canary.exists()


def test_a_member_that_leads_out_of_the_archive_is_not_read(archive, tmp_path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name in cifar10.OFFICIAL_MD5:
            member = tarfile.TarInfo(f"../cifar-10-batches-py/{name}")
            member.size = 4
            tar.addfile(member, io.BytesIO(b"none"))
            link = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
    with pytest.raises(DataError, match="Received none called data_batch_1"):
        cifar10.load(archive, image_size=32)


def test_a_missing_batch_is_named(batches) -> None:
    (batches / "data_batch_4").unlink()
    with pytest.raises(DataError, match="none called data_batch_4"):
        cifar10.load(batches, image_size=32)


def test_a_truncated_archive_is_an_error_that_says_where_to_get_it(archive) -> None:
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(DataError, match=r"whole .tar.gz archive.*https://"):
        cifar10.load(archive, image_size=32)


@pytest.mark.parametrize(
    "broken",
    [
        {b"data": np.zeros((3, 100), np.uint8), b"labels": [0, 1, 2]},
        {b"data": np.zeros((3, 3072), np.uint8), b"labels": [0, 1]},
        {b"data": np.zeros((3, 3072), np.uint8), b"labels": [0, 1, 9]},
        {b"labels": [0, 1, 2]},
    ],
)
def test_a_batch_of_another_shape_is_refused(batches, broken) -> None:
    (batches / "test_batch").write_bytes(pickle.dumps(broken, protocol=2))
    with pytest.raises(DataError, match="expected"):
        cifar10.load(batches, image_size=32)


def test_a_path_with_neither_is_an_error(tmp_path) -> None:
    assert cifar10.locate(tmp_path) is None
    with pytest.raises(DataError, match="Received: neither"):
        cifar10.load(tmp_path, image_size=32)


@pytest.mark.parametrize("there", [False, True])
def test_without_the_official_archive_the_error_lists_the_ways_on(
    archive, tmp_path, there
) -> None:
    origin = archive if there else tmp_path / "none.tar.gz"
    with pytest.raises(DataError) as error:
        cifar10.download(origin=origin.as_uri(), cache_dir=tmp_path / "keras")
    for way in ("cifar-10-python.tar.gz", "--data FOLDER", "tessera demo"):
        assert way in str(error.value)
    assert ("hash" in str(error.value)) == there


def hostile(path: Path, *members: "tuple[tarfile.TarInfo, bytes]") -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("name", ["../../canary", "/tmp/canary", "canary"])
@pytest.mark.parametrize(
    "kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE]
)
def test_nothing_of_an_archive_is_ever_written(tmp_path, name, kind) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = hostile(folder / "x.tar.gz", (member(name, kind, str(canary)), b""))
    with pytest.raises(DataError, match="Received none called data_batch_1"):
        cifar10.load(path, image_size=32)
    assert canary.read_text() == "untouched"
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "a", folder, path, canary]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_a_batch_that_is_a_link_or_a_device_is_not_read(tmp_path, kind) -> None:
    target = tmp_path / "secret"
    target.write_bytes(pickle.dumps(batch(1), protocol=2))
    batch_1 = member("cifar-10-batches-py/data_batch_1", kind, str(target))
    path = hostile(tmp_path / "x.tar.gz", (batch_1, b""))
    with pytest.raises(DataError, match="Received none called data_batch_1"):
        cifar10.load(path, image_size=32)


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cifar10, "LARGEST_ARCHIVE", 2**20)
    path = hostile(tmp_path / "x.tar.gz", (member("zeros"), b"\0" * 2**22))
    assert path.stat().st_size < 2**13
    with pytest.raises(DataError, match="more than 1,048,576 bytes unpacked"):
        cifar10.load(path, image_size=32)


def test_an_archive_of_endless_members_is_refused(tmp_path) -> None:
    members = [(member(str(n)), b"") for n in range(cifar10.MOST_MEMBERS + 1)]
    with pytest.raises(DataError, match="more than 1000 members"):
        cifar10.load(hostile(tmp_path / "x.tar.gz", *members), image_size=32)


def test_headers_that_announce_headers_without_end_are_refused(tmp_path) -> None:
    """`tarfile` calls itself once for each of them."""
    long = member("name", tarfile.GNUTYPE_LONGNAME)
    path = hostile(tmp_path / "x.tar.gz", *[(long, b"name\0")] * 5000)
    with pytest.raises(DataError, match="expected a whole"):
        cifar10.load(path, image_size=32)


@pytest.mark.parametrize(
    "labels", [[0, 1, 2**40], [0, 1, "cat"], [0, 1, None], [[]], 7]
)
def test_labels_that_are_no_labels_are_refused(batches, labels) -> None:
    content = batch(1) | {b"labels": labels}
    (batches / "data_batch_1").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(DataError):
        cifar10.load(batches, image_size=32)

"""Every kind of picture becomes RGB bytes by the rule in docs/methods.md."""

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pngs import png

from tessera.data import decode

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def pixels(path: Path, size: int = 2) -> list[tuple[int, ...]]:
    """Row by row."""
    array = decode.picture(path, size).pixels
    assert array.shape == (size, size, 3) and array.dtype == np.uint8
    return [tuple(pixel) for pixel in array.reshape(-1, 3).tolist()]


def quad(mode: str, *values) -> Image.Image:
    image = Image.new(mode, (2, 2))
    image.putdata(values)
    return image


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP"])
def test_lossless_formats_keep_their_pixels(tmp_path, kind) -> None:
    file = tmp_path / "image"
    options = {"lossless": True} if kind == "WEBP" else {}
    quad("RGB", RED, GREEN, BLUE, WHITE).save(file, format=kind, **options)
    assert pixels(file) == [RED, GREEN, BLUE, WHITE]


def test_jpeg_is_read(tmp_path) -> None:
    Image.new("RGB", (8, 8), (200, 100, 50)).save(tmp_path / "a.jpg", quality=100)
    found = np.array(pixels(tmp_path / "a.jpg", 8))
    assert np.abs(found - [200, 100, 50]).max() <= 2


def test_the_content_decides_not_the_suffix(tmp_path) -> None:
    quad("RGB", RED, GREEN, BLUE, WHITE).save(tmp_path / "a.jpg", format="PNG")
    assert pixels(tmp_path / "a.jpg")[0] == RED


def test_grey_becomes_three_equal_channels(tmp_path) -> None:
    quad("L", 0, 7, 100, 255).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png") == [(v, v, v) for v in (0, 7, 100, 255)]


def test_one_bit_becomes_black_and_white(tmp_path) -> None:
    quad("1", 0, 1, 1, 0).save(tmp_path / "a.png")
    assert [p[0] for p in pixels(tmp_path / "a.png")] == [0, 255, 255, 0]


def test_a_palette_is_looked_up(tmp_path) -> None:
    image = quad("P", 0, 1, 2, 0)
    image.putpalette([*RED, *GREEN, *BLUE])
    image.save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png") == [RED, GREEN, BLUE, RED]


def test_transparency_is_laid_over_white(tmp_path) -> None:
    clear, half = (255, 0, 0, 0), (0, 0, 0, 128)
    quad("RGBA", clear, half, (*BLUE, 255), clear).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png") == [WHITE, (127, 127, 127), BLUE, WHITE]


def test_grey_with_alpha_is_laid_over_white(tmp_path) -> None:
    quad("LA", (0, 0), (0, 255), (9, 255), (9, 0)).save(tmp_path / "a.png")
    assert [p[0] for p in pixels(tmp_path / "a.png")] == [255, 0, 9, 255]


@pytest.mark.parametrize("transparency", [1, b"\xff\x00\xff"])
def test_a_transparent_palette_entry_is_white(tmp_path, transparency) -> None:
    image = quad("P", 0, 1, 2, 0)
    image.putpalette([*RED, *GREEN, *BLUE])
    image.save(tmp_path / "a.png", transparency=transparency)
    assert pixels(tmp_path / "a.png") == [RED, WHITE, BLUE, RED]


def test_sixteen_bits_keep_their_high_eight(tmp_path) -> None:
    values = np.array([[0x0000, 0x00FF], [0x1234, 0xFFFF]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert [p[0] for p in pixels(tmp_path / "a.png")] == [0x00, 0x00, 0x12, 0xFF]


def test_sixteen_bit_colour_keeps_its_high_eight_too(tmp_path) -> None:
    rows = [[(0x12FF, 0x3400, 0x56AA), (0xFFFF, 0, 0)], [(0, 0xFFFF, 0), (0, 0, 1)]]
    (tmp_path / "a.png").write_bytes(sixteen_bit_rgb(rows))
    assert pixels(tmp_path / "a.png") == [(0x12, 0x34, 0x56), RED, GREEN, (0, 0, 0)]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_grey_is_white_in_any_number_of_bits(tmp_path, bits) -> None:
    # One row of two pixels: level 1, which is the transparent one, and level 0.
    row = bytes([1 << (8 - bits), 0][: 2 if bits == 8 else 1])
    content = png((2, 1), bits, 0, row, transparent=struct.pack(">H", 1))
    (tmp_path / "a.png").write_bytes(content)
    assert pixels(tmp_path / "a.png", 2)[:2] == [WHITE, (0, 0, 0)]


def test_of_a_transparent_colour_in_sixteen_bits_the_high_eight_count(tmp_path) -> None:
    colours = (0x12AB, 0x3400, 0x5600), (0xAB00, 0x0000, 0x0000)
    row = b"".join(struct.pack(">3H", *colour) for colour in colours)
    marked = struct.pack(">3H", *colours[0])
    content = png((2, 1), 16, 2, row, transparent=marked)
    (tmp_path / "a.png").write_bytes(content)
    assert pixels(tmp_path / "a.png", 2)[:2] == [WHITE, (0xAB, 0, 0)]


@pytest.mark.parametrize(
    ("bits", "colours", "row", "transparent"),
    [
        (2, 0, bytes([1 << 6]), struct.pack(">H", 1)),
        (4, 0, bytes([1 << 4]), struct.pack(">H", 1)),
        (
            16,
            2,
            struct.pack(">6H", 0x12AB, 0, 0, 7, 0, 0),
            struct.pack(">3H", 4779, 0, 0),
        ),
    ],
)
def test_of_an_opened_image_a_transparent_colour_is_white_however_often_it_is_read(
    tmp_path, bits, colours, row, transparent
) -> None:
    content = png((2, 1), bits, colours, row, transparent=transparent)
    (tmp_path / "a.png").write_bytes(content)
    with Image.open(tmp_path / "a.png") as image:
        read = [decode.of_opened(image, 2) for _ in range(2)]
    assert [tuple(pixels[0, 0].tolist()) for pixels in read] == [WHITE, WHITE]
    assert (read[0] == decode.read(tmp_path / "a.png", 2)).all()


def test_an_opened_image_of_someone_elses_is_not_turned_itself(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (5, 3), RED).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        decode.of_opened(image, 8)
        assert image.size == (5, 3) and image.getexif()[0x0112] == 6


def sixteen_bit_rgb(rows) -> bytes:
    lines = [b"".join(struct.pack(">3H", *pixel) for pixel in row) for row in rows]
    return png((len(rows[0]), len(rows)), 16, 2, *lines)


def test_cmyk_is_converted(tmp_path) -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    image.save(tmp_path / "a.jpg", quality=100)
    found = np.array(pixels(tmp_path / "a.jpg", 8))
    assert np.abs(found - RED).max() <= 3


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
def test_a_picture_is_turned_as_its_exif_says(tmp_path, orientation, expected) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    quad("RGB", RED, GREEN, BLUE, WHITE).save(tmp_path / "a.png", exif=exif)
    assert pixels(tmp_path / "a.png") == expected


def test_the_size_that_is_told_is_that_of_the_file_before_it_is_turned(
    tmp_path,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (5, 3)).save(tmp_path / "a.png", exif=exif)
    assert decode.picture(tmp_path / "a.png", 8).size == (5, 3)


def test_sixteen_bits_of_grey_lose_no_transparency(tmp_path) -> None:
    row = struct.pack(">2H", 0x1234, 0x0012)
    content = png((2, 1), 16, 0, row, transparent=struct.pack(">H", 0x1234))
    (tmp_path / "a.png").write_bytes(content)
    assert pixels(tmp_path / "a.png", 2)[:2] == [WHITE, (0, 0, 0)]


@pytest.mark.parametrize(("kind", "suffix"), [("GIF", "gif"), ("PNG", "png")])
def test_of_an_animation_the_first_frame_is_read(tmp_path, kind, suffix) -> None:
    frames = [Image.new("RGB", (2, 2), colour) for colour in (RED, GREEN, BLUE)]
    file = tmp_path / f"a.{suffix}"
    frames[0].save(file, format=kind, save_all=True, append_images=frames[1:])
    assert pixels(file) == [RED] * 4


def test_the_whole_picture_is_squeezed_into_the_square(tmp_path) -> None:
    wide = np.repeat(np.array([[RED, BLUE]], dtype=np.uint8), 50, axis=1)
    Image.fromarray(np.repeat(wide, 10, axis=0)).save(tmp_path / "a.png")
    found = decode.picture(tmp_path / "a.png", 10)
    assert found.size == (100, 10)
    assert tuple(found.pixels[5, 0]) == RED and tuple(found.pixels[5, -1]) == BLUE


def test_shrinking_averages_instead_of_skipping_pixels(tmp_path) -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    inner = decode.picture(tmp_path / "a.png", 8).pixels[1:-1, 1:-1]
    assert inner.min() >= 120 and inner.max() <= 135


def test_growing_weighs_the_two_nearest_pixels_by_their_nearness(tmp_path) -> None:
    # Bilinear: centres of the 8 lie at -1/4, 1/4, 3/4 ... of the 4 old pixels; a cubic
    # curve would overshoot black and white.
    row = np.array([0, 0, 255, 255], np.uint8)
    image = np.repeat(np.tile(row, (4, 1))[..., None], 3, axis=2)
    Image.fromarray(image).save(tmp_path / "a.png")
    found = decode.picture(tmp_path / "a.png", 8).pixels[4, :, 0]
    expected = [0, 0, 0, 0.25 * 255, 0.75 * 255, 255, 255, 255]
    np.testing.assert_allclose(found, expected, atol=1)


def test_images_in_memory_are_resized_by_the_same_rule(tmp_path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        decode.resized(image[None], 12)[0],
        decode.picture(tmp_path / "a.png", 12).pixels,
    )


def truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:-600])


def tiff(path: Path) -> None:
    Image.new("RGB", (2, 2)).save(path, format="TIFF")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncated, "truncated"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("no picture"), "not a JPEG, PNG"),
        (tiff, "not a JPEG, PNG"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40), "PNG"),
    ],
)
def test_a_file_that_is_no_whole_image_has_a_reason(tmp_path, damage, reason) -> None:
    damage(tmp_path / "a")
    with pytest.raises(decode.Unreadable, match=reason):
        decode.picture(tmp_path / "a", 8)


def test_a_missing_file_is_withheld_by_the_system(tmp_path) -> None:
    with pytest.raises(decode.Withheld, match="No such file"):
        decode.picture(tmp_path / "none.png", 8)


def test_a_broken_file_is_not_withheld_by_the_system(tmp_path) -> None:
    truncated(tmp_path / "a")
    with pytest.raises(decode.Unreadable) as error:
        decode.picture(tmp_path / "a", 8)
    assert not isinstance(error.value, decode.Withheld)


@pytest.mark.parametrize("side", [9_500, 20_000])
def test_a_picture_of_too_many_pixels_is_never_decoded(tmp_path, side) -> None:
    # A bitmap's header alone: 54 bytes that promise a picture of side x side.
    header = struct.pack("<2sIHHI", b"BM", 54, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0
    )
    (tmp_path / "bomb.bmp").write_bytes(header)
    with pytest.raises(decode.Unreadable, match="pixels are more than the 89,478,485"):
        decode.picture(tmp_path / "bomb.bmp", 8)


def test_strips_laid_over_white_are_the_whole_picture_laid_over_white(
    tmp_path, monkeypatch
) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (37, 11, 4), dtype=np.uint8))
    white = Image.new("RGBA", image.size, "white")
    whole = np.asarray(Image.alpha_composite(white, image).convert("RGB"))
    for pixels in (1, 30, 11 * 37, 10**6):
        monkeypatch.setattr(decode, "STRIP", pixels)
        np.testing.assert_array_equal(np.asarray(decode.to_rgb(image)), whole)


def test_a_large_picture_is_decoded_by_the_thread_for_large_ones(
    tmp_path, monkeypatch
) -> None:
    quad("RGB", RED, GREEN, BLUE, WHITE).save(tmp_path / "a.png")
    asked: list[object] = []

    class Alone(ThreadPoolExecutor):
        def submit(self, *arguments, **options):
            asked.append(arguments)
            return super().submit(*arguments, **options)

    with Alone(1) as alone:
        small = decode.picture(tmp_path / "a.png", 2, alone=alone)
        assert asked == []
        monkeypatch.setattr(decode, "LARGE", 3)
        large = decode.picture(tmp_path / "a.png", 2, alone=alone)
    assert len(asked) == 1
    np.testing.assert_array_equal(small.pixels, large.pixels)


def test_a_file_larger_than_any_picture_is_not_opened(tmp_path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(decode.MAX_BYTES + 1)
    with pytest.raises(decode.Unreadable, match="536,870,913 bytes are more than"):
        decode.picture(tmp_path / "a.png", 8)


def test_content_in_memory_is_decoded_by_the_same_rule(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    expected = decode.picture(tmp_path / "a.png", 16)
    found = decode.from_bytes(content, 16)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.size == expected.size == (40, 30)
    with pytest.raises(decode.Unreadable, match="40 x 30 pixels are more than the 1,0"):
        decode.from_bytes(content, 16, limit=1000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "an empty file"), (b"GIF8", "not a JPEG"), (b"no image", "not a JPEG")],
)
def test_content_that_is_no_image_has_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(decode.Unreadable, match=reason):
        decode.from_bytes(content, 16)

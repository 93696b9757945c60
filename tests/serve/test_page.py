"""The page in a real browser: upload, answer, heatmap, errors, keyboard, any width."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tessera.serve import app
from tessera.serve.site import Site

from .browser import Page, browser
from .conftest import serving

REPORT = b"<!doctype html><title>r</title><style>p{color:red}</style><p>the study"
READY = "document.documentElement.dataset.ready"
RESULTS = "document.querySelectorAll('.result').length"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def address(built: Site) -> Iterator[str]:
    with serving(app.create(replace(built, report=REPORT), hosts=app.LOCAL)) as url:
        yield url


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(tab: Page, address: str) -> Page:
    tab.open("about:blank")
    tab.complaints.clear()
    tab.open(address)
    tab.wait(READY)
    return tab


@pytest.fixture
def image(digit: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "<b>digit.png"
    path.write_bytes(digit)
    return path


def upload(page: Page, path: Path) -> None:
    before = page.run(RESULTS)
    page.pick("#files", path)
    page.wait(f"{RESULTS} > {before}")


def text(page: Page, selector: str) -> str:
    return page.run(f"document.querySelector('{selector}').textContent")


def test_an_uploaded_image_shows_its_answer_and_its_heatmap(
    page: Page, image: Path
) -> None:
    upload(page, image)
    assert page.run("document.querySelectorAll('.answers li').length") == 5
    assert text(page, ".result h3").startswith("<b>digit.png: ")
    assert "%" in text(page, "#status")
    assert "On the test set" in text(page, ".trust")
    page.wait("document.querySelector('.map').naturalWidth === 256")
    assert page.run("document.querySelector('.seen').naturalWidth") == 16
    assert page.run("document.querySelectorAll('.branches tr').length") == 3
    assert page.complaints == []


def test_the_slider_fades_the_heatmap(page: Page, image: Path) -> None:
    upload(page, image)
    opacity = "getComputedStyle(document.querySelector('.map')).opacity"
    assert float(page.run(opacity)) == pytest.approx(0.7)
    page.run("document.querySelector('.strength').focus()")
    page.press("Home", 36)
    assert float(page.run(opacity)) == 0


def test_method_and_class_can_be_chosen(page: Page, image: Path) -> None:
    upload(page, image)
    for selector, value, word in (
        (".method", "hirescam", "HiResCAM at features"),
        (".target", "3", "evidence for 3 lies"),
    ):
        page.run(
            f"(() => {{ const s = document.querySelector('{selector}'); s.value = "
            f"'{value}'; s.dispatchEvent(new Event('change')); }})()"
        )
        page.wait(f"document.querySelector('.note').textContent.includes('{word}')")
    assert "logit of 3" in text(page, ".branches p")


def test_a_broken_file_gets_a_reason_and_the_page_goes_on(
    page: Page, image: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    upload(page, broken)
    assert "not a JPEG, PNG" in text(page, ".error p")
    upload(page, image)
    assert page.run("document.querySelectorAll('.answers').length") == 1


def test_a_pasted_image_is_answered(page: Page) -> None:
    page.run(
        """(async () => {
        const picture = await (await fetch('api/examples/5/0')).blob();
        const data = new DataTransfer();
        data.items.add(new File([picture], 'clip.png', {type: 'image/png'}));
        document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data}));
        })()"""
    )
    page.wait(f"{RESULTS} === 1")
    assert text(page, ".result h3").startswith("clip.png: ")


def test_the_card_names_limits_and_every_classs_recall(page: Page) -> None:
    page.run("location.hash = '#model'")
    page.wait("!document.getElementById('model').hidden")
    assert page.run("document.querySelectorAll('#classes tr').length") == 10
    assert "always names one of its classes" in text(page, "#limits")
    assert page.run("document.getElementById('images').hidden")


def test_the_study_is_the_second_view(page: Page) -> None:
    page.run("location.hash = '#report'")
    page.wait("document.getElementById('report-frame').src.endsWith('/report')")
    page.wait("!document.getElementById('report').hidden")
    assert page.complaints == []


def test_every_control_is_reached_by_keyboard_and_has_a_name(
    page: Page, image: Path
) -> None:
    upload(page, image)
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = set()
    for _ in range(15):
        page.press("Tab", 9)
        reached.add(
            page.run("(e => e.className || e.id || e.hash)(document.activeElement)")
        )
    assert {"skip", "files", "strength", "method", "target", "#model"} <= reached
    nameless = page.run(
        """[...document.querySelectorAll('input, select, img, progress, iframe')]
        .filter(e => !e.closest('template') && !(e.labels?.length || e.alt ||
          e.getAttribute('aria-label') || e.title)).map(e => e.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_wider_than_the_screen_and_text_stands_out(
    page: Page, address: str, image: Path, width: int, dark: bool
) -> None:
    page.open("about:blank")
    page.open(address, width=width, dark=dark)
    page.wait(READY)
    upload(page, image)
    for view in ("#images", "#model"):
        page.run(f"location.hash = '{view}'")
        page.wait(f"!document.querySelector('{view}').hidden")
        assert page.run("document.documentElement.scrollWidth") <= width
    assert contrast(page, "body", "body") > 7
    assert contrast(page, ".quiet", "body") > 4.5


def contrast(page: Page, front: str, back: str) -> float:
    """WCAG 2.1's contrast ratio of text on its ground."""

    def luminance(selector: str, property: str) -> float:
        colour = page.run(
            f"getComputedStyle(document.querySelector('{selector}')).{property}"
        )
        values = [int(v) / 255 for v in colour[4:-1].split(",")[:3]]
        linear = [
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    one, other = luminance(front, "color"), luminance(back, "backgroundColor")
    high, low = max(one, other), min(one, other)
    return (high + 0.05) / (low + 0.05)

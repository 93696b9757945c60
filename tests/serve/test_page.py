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
    page.press("Tab", 9)  # only after a key may a page write to the clipboard
    page.run(
        """(async () => {
        const picture = await (await fetch('api/examples/5/0')).blob();
        await navigator.clipboard.write([new ClipboardItem({'image/png': picture})]);
        })()"""
    )
    page.press("v", 86, modifiers=2, commands=["paste"])
    page.wait(f"{RESULTS} === 1")
    assert text(page, ".result h3").startswith("image.png: ")


def test_dropped_images_are_answered_and_a_dropped_folder_says_why_not(
    page: Page, image: Path
) -> None:
    page.drop("#drop", image, image.parent)
    page.wait(f"{RESULTS} === 2")
    assert "cannot read this file" in text(page, ".error p")
    assert page.run("document.querySelectorAll('.answers').length") == 1
    assert page.run("document.getElementById('drop').className") == ""


def test_of_many_choices_only_the_last_one_is_asked_for_next(
    page: Page, image: Path
) -> None:
    upload(page, image)
    page.run(
        """(() => {
        const target = document.querySelector('.target');
        for (const option of target.options) {
            target.value = option.value;
            target.dispatchEvent(new Event('change'));
        }})()"""
    )
    page.wait("document.querySelector('.note').textContent.includes('for 9 lies')")
    asked = (
        "getEntriesByType('resource').filter(e => e.name.includes('target=')).length"
    )
    assert page.run(f"performance.{asked}") == 2


def test_a_server_that_is_gone_or_too_busy_is_said_in_words(
    page: Page, image: Path
) -> None:
    for fetched, said in (
        ("Promise.reject(new TypeError('Failed to fetch'))", "does not answer"),
        ("Promise.resolve(new Response('busy', {status: 502}))", "too busy"),
    ):
        page.run(f"window.fetch = () => {fetched}, 1")
        upload(page, image)
        assert said in text(page, ".error p")


def test_an_answer_is_doubted_where_the_model_misses_other_classes(
    page: Page, built: Site, image: Path
) -> None:
    upload(page, image)
    answer = text(page, ".result h3").rsplit(" ", 1)[1]
    missed = [c.name for c in built.model.classes if c.recall < 0.5]
    others = [name for name in missed if name != answer]
    more = f" and {len(others) - 3} more classes" if len(others) > 3 else ""
    assert others
    assert f"it misses most images of {', '.join(others[:3])}{more}." in text(
        page, ".trust"
    )


def test_the_card_names_limits_and_every_classs_recall(page: Page) -> None:
    page.run("location.hash = '#model'")
    page.wait("!document.getElementById('model').hidden")
    assert page.run("document.querySelectorAll('#classes tr').length") == 10
    assert "always names one of its classes" in text(page, "#limits")
    bold = "[...new Set([...document.querySelectorAll('#model thead th')].map("
    assert page.run(f"{bold}e => getComputedStyle(e).fontWeight))]") == ["600"]
    assert page.run("document.getElementById('images').hidden")


def test_the_card_says_whether_probabilities_are_calibrated(
    page: Page, built: Site
) -> None:
    assert text(page, "#facts").endswith(built.model.calibration)
    assert "calibrated on 100 validation images" in built.model.calibration


def test_a_precision_that_is_not_known_is_a_dash_and_a_doubt(
    tab: Page, built: Site, image: Path
) -> None:
    unknown = {"precision": None, "precision_interval": None}
    classes = [facts.model_copy(update=unknown) for facts in built.model.classes]
    model = built.model.model_copy(update={"classes": classes})
    with serving(app.create(replace(built, model=model), hosts=app.LOCAL)) as url:
        tab.open(url)
        tab.wait(READY)
        assert text(tab, "#classes td:nth-of-type(2)") == "\N{EN DASH}"
        assert tab.run("document.querySelector('#classes td:nth-of-type(2).weak')") is (
            None
        )
        upload(tab, image)
        assert "it never answered" in text(tab, ".trust")
        assert "is right is not known" in text(tab, ".trust")
        assert "null" not in text(tab, ".trust")


def test_the_study_is_the_second_view(page: Page) -> None:
    page.run("location.hash = '#report'")
    page.wait("document.getElementById('report-frame').src.endsWith('/report')")
    page.wait("!document.getElementById('report').hidden")
    assert page.complaints == []


def test_by_keyboard_a_view_is_entered_and_the_skip_link_stays_in_it(
    page: Page,
) -> None:
    page.run("document.querySelector('nav a[href=\"#model\"]').focus()")
    page.press("Enter", 13, "\r")
    page.wait("document.activeElement.id === 'model-title'")
    page.run("document.querySelector('.skip').focus()")
    page.press("Enter", 13, "\r")
    page.wait("document.activeElement.id === 'main'")
    assert not page.run("document.getElementById('model').hidden")


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


@pytest.mark.parametrize("width", [390, 1200])
def test_long_names_of_classes_and_files_are_not_wider_than_the_screen(
    tab: Page, built: Site, image: Path, tmp_path: Path, width: int
) -> None:
    names = [f"{digit}_{'melanocytic_nevi_' * 8}" for digit in range(10)]
    record = built.trained.record
    data = record.data.model_copy(update={"class_names": tuple(names)})
    model = replace(built.trained, record=record.model_copy(update={"data": data}))
    rows = zip(built.model.classes, names, strict=True)
    classes = [facts.model_copy(update={"name": name}) for facts, name in rows]
    told = built.model.model_copy(update={"classes": classes, "limits": names})
    site = replace(built, trained=model, model=told)
    with serving(app.create(site, hosts=app.LOCAL)) as url:
        tab.open("about:blank")
        tab.open(url, width=width)
        tab.wait(READY)
        upload(tab, image.rename(tmp_path / f"{names[0]}.png"))
        for view in ("#images", "#model"):
            tab.run(f"location.hash = '{view}'")
            tab.wait(f"!document.querySelector('{view}').hidden")
            assert tab.run("document.documentElement.scrollWidth") <= width


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

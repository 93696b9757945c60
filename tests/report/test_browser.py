"""The report in a real browser: it fits a phone and a desk, and it prints."""

import re
import subprocess
from pathlib import Path

import pytest
from serve import browser

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--allow-file-access-from-files"),
)
# The page as a reader sees it, in a frame of some width; a script around it measures.
FRAME = """<!doctype html><body style="margin:0">
<iframe id="page" src="{page}" style="width:{width}px;height:900px;border:0"></iframe>
<output id="found"></output>
<script>
onload = () => {{
  const page = document.getElementById("page").contentDocument;
  const root = page.documentElement;
  const pictures = [...page.querySelectorAll("svg")];
  const shut = "details:not([open])";
  const open = pictures.filter(picture => !picture.closest(shut));
  const drawn = open.filter(picture => picture.getBoundingClientRect().height > 20);
  document.getElementById("found").textContent =
    `width ${{root.scrollWidth}} pictures ${{open.length}} drawn ${{drawn.length}}`;
}};
</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    return browser.chromium()


def browse(chromium: str, profile: Path, *arguments: str) -> str:
    done = subprocess.run(
        [chromium, *QUIET, f"--user-data-dir={profile}", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    return done.stdout


def measured(chromium: str, folder: Path, profile: Path, width: int) -> dict[str, int]:
    frame = profile / f"frame-{width}.html"
    page = (folder / "report.html").as_uri()
    frame.write_text(FRAME.format(page=page, width=width), encoding="utf-8")
    dom = browse(
        chromium, profile, "--virtual-time-budget=20000", "--dump-dom", frame.as_uri()
    )
    found = re.search(r'<output id="found">([^<]+)</output>', dom)
    assert found is not None
    words = found[1].split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", [390, 1200])
def test_the_report_needs_no_sideways_scrolling_and_draws_every_figure(
    chromium: str, rendered: Path, tmp_path: Path, width: int
) -> None:
    found = measured(chromium, rendered, tmp_path, width)
    assert found["width"] <= width
    assert found["pictures"] > 5
    assert found["drawn"] == found["pictures"]


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_the_report_prints_on_several_pages(
    chromium: str, rendered: Path, tmp_path: Path
) -> None:
    pdf = tmp_path / "report.pdf"
    page = (rendered / "report.html").as_uri()
    browse(chromium, tmp_path, f"--print-to-pdf={pdf}", page)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) > 3

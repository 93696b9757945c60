"""Headless Chromium over its debugging pipe: open, click, upload, look; no driver.

Messages are JSON texts that end with a zero byte, on the browser's file descriptors 3
(to it) and 4 (from it): the Chrome DevTools Protocol.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ),
    *(
        "--disable-background-networking",
        "--disable-sync",
        "--disable-component-update",
    ),
    *("--remote-debugging-pipe", "--disable-dev-shm-usage"),
)
PATIENCE = 60.0


def chromium() -> str:
    """The browser's path; the test is skipped where there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    if os.environ.get("TESSERA_REQUIRE_BROWSER"):
        pytest.fail(f"expected one of {', '.join(NAMES)} on the PATH. Received: none.")
    pytest.skip("no Chromium on the PATH")


class Page:
    """One tab."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._rest, self._number = to, back, b"", 0
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._number:
            self._listen(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._back, 1 << 16)
            assert part, "the browser ended"
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        return json.loads(text)

    def _listen(self, event: dict[str, Any]) -> None:
        """Keep what the page's console complains of, a refused policy included."""
        match event.get("method"):
            case "Log.entryAdded":
                entry = event["params"]["entry"]
                if entry["level"] == "error":
                    self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
            case "Runtime.exceptionThrown":
                self.complaints.append(str(event["params"]["exceptionDetails"]))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        result = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, script: str) -> Any:
        """The first truthy value of an expression."""
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"waited in vain for {script}"
            time.sleep(0.05)
        return value

    def open(self, url: str, *, width: int = 1200, dark: bool = False) -> None:
        """Go to a page, as wide as asked, in light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def pick(self, selector: str, *paths: Path) -> None:
        """Choose files in a file input."""
        found = self.call(
            "Runtime.evaluate", expression=f"document.querySelector('{selector}')"
        )
        self.call(
            "DOM.setFileInputFiles",
            files=[str(path) for path in paths],
            objectId=found["result"]["objectId"],
        )

    def drop(self, selector: str, *paths: Path) -> None:
        """Drag files from outside of the browser over an element, and let them go."""
        x, y = self.run(
            f"(r => [r.x + 9, r.y + 9])"
            f"(document.querySelector('{selector}').getBoundingClientRect())"
        )
        dragged = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=dragged)

    def press(self, key: str, code: int, text: str = "", **more: Any) -> None:
        """Press a key of the keyboard; `more`: what the editor is told to do by it."""
        same = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **same, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", **same)

    def picture(self, path: Path) -> None:
        """Save the whole page as a PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A fresh browser with one tab."""
    to_read, to_write = os.pipe()
    back_read, back_write = os.pipe()

    def wire() -> None:
        kept = os.dup(to_read), os.dup(back_write)
        os.dup2(kept[0], 3)
        os.dup2(kept[1], 4)

    process = subprocess.Popen(
        [chromium(), *QUIET, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=wire,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(back_write)
    try:
        yield Page(to_write, back_read)
    finally:
        process.terminate()
        process.wait(30)
        os.close(to_write)
        os.close(back_read)

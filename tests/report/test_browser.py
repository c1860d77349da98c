"""The audit report in a real browser: asks for nothing, fits a phone, sorts by keyboard, follows dark mode, prints."""

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.sync.client import ClientConnection, connect

NEEDED = "these tests want a real browser: install Debian package chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
PHONE, DESKTOP = (360, 780), (1280, 900)


class Browser:
    """A page in Chromium, by its DevTools protocol."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self.events.append(answer)

    def value(self, script: str) -> Any:
        """What a script gives on the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def show(self, file: Path, size: tuple[int, int], scheme: str = "light") -> None:
        """Open a file in a window of some size."""
        width, height = size
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=media)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.ask("Page.navigate", url=file.as_uri())
        loaded = "new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))"
        self.value(loaded)

    def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running browser with one page."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip(NEEDED)
    profile = tmp_path_factory.mktemp("browser")
    command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        pages = requests.get(f"http://127.0.0.1:{_port(running, profile)}/json/list", timeout=60).json()
        (page,) = [page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"]
        with connect(page, max_size=None) as socket:
            yield Browser(socket)
    finally:
        running.terminate()
        running.wait(timeout=60)


def _port(running: "subprocess.Popen[bytes]", profile: Path) -> int:
    """Where the browser listens, as soon as it does."""
    while not (found := profile / "DevToolsActivePort").is_file() or not found.read_text():
        assert running.poll() is None, "the browser ended at once"
        time.sleep(0.05)
    return int(found.read_text().splitlines()[0])


@pytest.fixture
def file(page: str, tmp_path: Path) -> Path:
    written = tmp_path / "report.html"
    written.write_text(page, encoding="utf-8")
    return written


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_it_fits_the_screen_and_asks_for_nothing(browser: Browser, file: Path, size: tuple[int, int]) -> None:
    browser.show(file, size)
    assert browser.value("document.querySelector('h1').textContent") == "morpho-blue"
    assert browser.value("document.documentElement.scrollWidth") <= size[0]
    asked = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [file.as_uri()]
    wrong = [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")]
    assert wrong == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_verdict_is_on_the_first_screen(browser: Browser, file: Path, size: tuple[int, int]) -> None:
    browser.show(file, size)
    assert browser.value("document.querySelector('.verdict .word').getBoundingClientRect().bottom") < size[1]
    if size == DESKTOP:
        assert browser.value("document.querySelector('ul.gaps').getBoundingClientRect().top") < size[1]


def test_a_table_is_sorted_by_the_keyboard_in_either_direction(browser: Browser, file: Path) -> None:
    browser.show(file, DESKTOP)
    ids = "Array.from(document.querySelectorAll('#rule-table tbody th'), cell => cell.textContent.trim())"
    state = "document.querySelectorAll('#rule-table thead th')[4].getAttribute('aria-sort')"
    assert browser.value(ids) == ["AAA-1", "AAA-2", "AAA-3", "AAA-10"]
    browser.value("document.querySelectorAll('#rule-table button.sort')[3].focus()")
    browser.press("Tab", 9)
    assert browser.value("document.activeElement.textContent") == "Reach"
    browser.press("Enter", 13, "\r")
    assert browser.value(state) == "ascending"
    assert browser.value(ids) == ["AAA-3", "AAA-2", "AAA-10", "AAA-1"]
    browser.press("Enter", 13, "\r")
    assert browser.value(state) == "descending"
    assert browser.value(ids) == ["AAA-1", "AAA-10", "AAA-2", "AAA-3"]
    browser.value("document.querySelector('#rule-table button.sort').click()")
    assert browser.value(state) is None
    assert browser.value(ids) == ["AAA-1", "AAA-2", "AAA-3", "AAA-10"]


def test_a_link_to_something_folded_unfolds_it(browser: Browser, file: Path) -> None:
    browser.show(file, DESKTOP)
    assert browser.value("document.getElementById('text-AAA-10').open") is False
    browser.value("document.querySelector('#rule-table a[href=\"#text-AAA-10\"]').click()")
    assert browser.value("new Promise(done => setTimeout(() => done(document.getElementById('text-AAA-10').open), 50))")


def test_dark_mode_turns_page_and_plots(browser: Browser, file: Path) -> None:
    light = "getComputedStyle(document.body).backgroundColor"
    line = "getComputedStyle(document.querySelector('figure svg text')).fill"
    seen = []
    for scheme in ("light", "dark"):
        browser.show(file, DESKTOP, scheme)
        seen.append((browser.value(light), browser.value(line)))
    assert seen[0][0] == "rgb(255, 255, 255)"
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]


def test_paper_is_light_and_has_what_was_folded(browser: Browser, file: Path) -> None:
    browser.show(file, DESKTOP, "dark")
    pdf = base64.b64decode(browser.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert pdf.startswith(b"%PDF-")
    assert browser.value("document.querySelectorAll('details.law[open]').length") == 0
    browser.value("dispatchEvent(new Event('beforeprint'))")
    assert browser.value("document.querySelectorAll('details.law:not([open])').length") == 0
    browser.value("dispatchEvent(new Event('afterprint'))")
    assert browser.value("document.querySelectorAll('details.law[open]').length") == 0
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.value("getComputedStyle(document.querySelector('nav.contents')).display") == "none"
    browser.ask("Emulation.setEmulatedMedia", media="")

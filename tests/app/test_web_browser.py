"""The page in a real browser: touch, keys, undo, what assistive technology reads, and how it looks.

`make test-all` installs the browser.
LINEPILOT_SCREENSHOT=docs/page.png python -m pytest -m slow tests/app/test_web_browser.py
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web_stand import Stand, driven

from app.cli.main import main

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
_CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_CHROMIUM is None, reason="apt-get install chromium"),
]
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"width": 390, "height": 844}
expect = playwright.expect


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def stand() -> Iterator[Stand]:
    with driven(autopilot=True) as stand:
        yield stand


@pytest.fixture
def stand_by_hand() -> Iterator[Stand]:
    with driven() as stand:
        yield stand


@pytest.fixture
def page(browser: Any, stand: Stand) -> Iterator[Any]:
    context = browser.new_context(viewport=PHONE, color_scheme="dark", has_touch=True)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    foreign: list[str] = []
    page.on("request", lambda request: stand.place.host not in request.url and foreign.append(request.url))
    page.goto(stand.place.url)
    expect(page.locator("#state")).to_have_text("disarmed")
    yield page
    context.close()
    assert troubles == []
    assert [url for url in foreign if not url.startswith("blob:")] == []


def take_and_arm(page: Any) -> None:
    page.get_by_role("button", name="Take the stick").click()
    page.get_by_role("button", name="Arm", exact=True).click()
    expect(page.locator("#state")).to_have_attribute("data-state", "armed")


def test_a_thumb_takes_over_lets_go_and_stops(page: Any) -> None:
    expect(page.locator("#picture-facts")).to_contain_text("pictures a second")
    take_and_arm(page)
    expect(page.locator("#holder")).to_have_text("you have the stick; the autopilot drives")
    box = page.locator("#stick").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - box["width"] * 0.3, middle[1] - box["width"] * 0.3)
    expect(page.locator("#state")).to_have_text("armed, by hand")
    page.mouse.up()
    expect(page.locator("#state")).to_have_text("armed")
    page.get_by_role("button", name="STOP").click()
    expect(page.locator("#state")).to_have_text("stopped")
    expect(page.locator("#why")).to_contain_text("emergency stop")


def test_keys_steer_while_they_are_held_and_space_stops_from_anywhere(page: Any) -> None:
    take_and_arm(page)
    page.keyboard.down("KeyD")
    expect(page.locator("#state")).to_have_text("armed, by hand")
    page.wait_for_function("() => Number(document.querySelector('#g-curvature').value) < -2")
    page.keyboard.up("KeyD")
    expect(page.locator("#state")).to_have_text("armed")
    # On a focused button a space would press it.
    page.get_by_role("button", name="Leave the stick").focus()
    page.keyboard.press("Space")
    expect(page.locator("#state")).to_have_text("stopped")
    expect(page.get_by_role("button", name="Leave the stick")).to_be_visible()


def test_a_key_that_is_let_go_elsewhere_or_beside_a_modifier_drives_no_more(page: Any) -> None:
    take_and_arm(page)
    for elsewhere in (lambda: page.get_by_label("proportional gain").focus(), lambda: page.keyboard.down("Control")):
        page.keyboard.down("KeyD")
        expect(page.locator("#state")).to_have_text("armed, by hand")
        elsewhere()
        page.keyboard.up("KeyD")
        expect(page.locator("#state")).to_have_text("armed")
        page.locator("#stick").focus()
    page.keyboard.up("Control")


def test_a_key_that_was_held_when_somebody_stopped_does_not_drive_on(page: Any) -> None:
    take_and_arm(page)
    page.keyboard.down("KeyD")
    expect(page.locator("#state")).to_have_text("armed, by hand")
    page.keyboard.press("Space")
    expect(page.locator("#state")).to_have_text("stopped")
    # Held on, it repeats.
    page.keyboard.down("KeyD")
    page.get_by_role("button", name="Arm", exact=True).click()
    expect(page.locator("#state")).to_have_text("armed")
    page.keyboard.down("KeyD")
    page.wait_for_timeout(300)
    expect(page.locator("#state")).to_have_text("armed")


def test_a_picture_that_cannot_be_drawn_is_not_the_last(page: Any) -> None:
    expect(page.locator("#picture-facts")).to_contain_text("pictures a second")
    page.evaluate("""() => {
      const draw = window.createImageBitmap;
      window.createImageBitmap = () => { window.createImageBitmap = draw; return Promise.reject(new Error("torn")); };
    }""")
    page.wait_for_function("() => document.querySelector('#picture-facts').textContent.includes('torn')", polling=5)
    expect(page.locator("#picture-facts")).to_contain_text("pictures a second")


def test_a_page_that_is_closed_stops_the_robot(page: Any, stand: Stand) -> None:
    take_and_arm(page)
    page.goto("about:blank")
    for _ in range(100):
        page.wait_for_timeout(50)
        if stand.newest is not None and stand.newest.verdict.state.value == "stopped":
            return
    raise AssertionError(stand.newest)


def test_a_gain_is_turned_and_taken_back(page: Any) -> None:
    page.get_by_role("button", name="Take the stick").click()
    slider = page.get_by_label("proportional gain")
    expect(slider).to_be_enabled()
    slider.fill("3")
    page.wait_for_function("() => document.querySelector('#undo').disabled === false")
    page.get_by_role("button", name="Show as settings").click()
    expect(page.locator("#settings")).to_contain_text("follower.steering.kp=3")
    page.keyboard.press("Control+z")
    expect(slider).to_have_value("2")


def test_everything_can_be_reached_and_has_a_name(page: Any) -> None:
    names = page.evaluate(
        "[...document.querySelectorAll('button, input, meter, canvas, [tabindex]')].filter((e) => e.checkVisibility())"
        ".map((e) => e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim())"
    )
    assert len(names) > 15
    assert all(names)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a phone scrolls in one direction only"
    seen = set()
    page.get_by_role("button", name="Take the stick").click()
    expect(page.get_by_role("button", name="Arm", exact=True)).to_be_enabled()
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id"))
    assert {"stop", "claim", "arm", "record", "stick"} <= seen


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_stands_out_from_its_ground(browser: Any, stand: Stand, scheme: str) -> None:
    """WCAG AA: 4.5 to 1, of every text that is shown and can be used."""
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    page.goto(stand.place.url)
    page.get_by_role("button", name="Take the stick").click()
    expect(page.get_by_role("button", name="Arm", exact=True)).to_be_enabled()
    poor = page.evaluate(_CONTRAST)
    context.close()
    assert poor == []


_CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
    .filter((e) => e.offsetParent && !e.disabled && e.tagName !== 'NOSCRIPT')
    .map((e) => {
      const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
      return [e.id || e.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    })
    .filter(([, ratio]) => ratio < 4.5);
}"""


def test_a_screenshot_for_the_docs(browser: Any, stand: Stand, tmp_path: Path) -> None:
    place = Path(os.environ.get("LINEPILOT_SCREENSHOT", tmp_path / "page.png"))
    context = browser.new_context(viewport={"width": 900, "height": 800}, color_scheme="dark")
    page = context.new_page()
    page.goto(stand.place.url)
    take_and_arm(page)
    page.wait_for_timeout(12_000)
    page.screenshot(path=str(place))
    context.close()
    phone = browser.new_context(viewport=PHONE, color_scheme="light")
    page = phone.new_page()
    page.goto(stand.place.url)
    expect(page.locator("#picture-facts")).to_contain_text("pictures a second")
    page.screenshot(path=str(place.with_name(f"{place.stem}-phone.png")))
    phone.close()
    assert place.stat().st_size > 20_000


VIEWS = ("drive", "sessions", "label", "calibrate", "about")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lap, one that was cut off, and one that is empty."""
    folder = tmp_path_factory.mktemp("sessions")
    drive = ["drive", "--track", "oval", "model=classical", "--picture", str(folder / "drive.png")]
    assert main([*drive, "--record", str(folder / "lap.mcap")]) == 0
    whole = (folder / "lap.mcap").read_bytes()
    (folder / "killed.mcap").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.mcap").write_bytes(b"")
    for name in ("killed.mcap", "empty.mcap"):
        os.utime(folder / name, (1e9, 1e9))
    return folder


def open_view(page: Any, name: str) -> None:
    page.locator(f'nav a[href="#{name}"]').click()
    expect(page.locator(f"#view-{name}")).to_be_visible()


def test_a_session_is_played_back_cut_and_repaired(browser: Any, recorded: Path) -> None:
    with driven(autopilot=True, folder=recorded) as stand:
        context = browser.new_context(viewport=PHONE)
        page = context.new_page()
        page.goto(stand.place.url)
        open_view(page, "sessions")
        page.get_by_role("button", name="Open lap.mcap").click()
        expect(page.locator("#replay-facts")).to_contain_text("armed")
        page.locator("#seek").fill("30")
        expect(page.locator("#replay-facts")).to_contain_text("0:01.0 of")
        last = int(page.locator("#seek").get_attribute("max"))
        page.locator("#seek").fill(str(last - 30))
        page.wait_for_function(
            "() => document.querySelector('#replay-facts').textContent.startsWith('0:01.0') === false"
        )
        page.get_by_role("button", name="Cut from here").click()
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.locator("#seek")).to_have_value(str(last))
        page.locator("#trim").click()
        expect(page.locator("#sessions-said")).to_have_text("made lap-trimmed.mcap")
        page.get_by_role("button", name="Repair killed.mcap").click()
        expect(page.locator("#sessions-said")).to_have_text("made killed-repaired.mcap")
        expect(page.get_by_role("button", name="Open killed-repaired.mcap")).to_be_visible()
        context.close()
    assert (recorded / "lap-trimmed.mcap").stat().st_size < (recorded / "lap.mcap").stat().st_size


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_to_complain_of_in_any_view(browser: Any, recorded: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    with driven(autopilot=True, folder=recorded) as stand:
        context = browser.new_context(viewport=PHONE, color_scheme=scheme)
        page = context.new_page()
        page.goto(stand.place.url)
        for name in VIEWS:
            open_view(page, name)
            if name == "sessions":
                page.get_by_role("button", name="Open lap.mcap").click()
                expect(page.locator("#replay-facts")).to_contain_text("armed")
            found = axe.Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        context.close()


def test_a_bend_is_driven_by_keys_and_recorded(browser: Any, tmp_path: Path) -> None:
    with driven(folder=tmp_path) as stand:
        context = browser.new_context(viewport=PHONE)
        page = context.new_page()
        page.goto(stand.place.url)
        take_and_arm(page)
        page.get_by_role("button", name="Record", exact=True).click()
        expect(page.get_by_role("button", name="Stop recording")).to_be_visible()
        page.keyboard.down("KeyW")
        page.keyboard.down("KeyA")
        page.wait_for_function("() => Number(document.querySelector('#g-speed').value) > 0.1")
        page.keyboard.up("KeyA")
        page.keyboard.up("KeyW")
        page.get_by_role("button", name="Stop recording").click()
        expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
        open_view(page, "sessions")
        page.get_by_role("button", name="Open").first.click()
        expect(page.locator("#events")).to_contain_text("moved the stick")
        context.close()


class Person:
    """Looks at the gauge as often as a person can, and holds the wheels to the line by what they know."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def line_is_left_m(self) -> float:
        return float(self.page.evaluate("document.querySelector('#m-error').value"))

    def drive_a_lap(self, stand: Stand, steer: Callable[[float], None]) -> float:
        """The largest lateral error, metres."""
        worst = 0.0
        deadline = time.monotonic() + 120.0
        while stand.world.truth.laps < 1:
            assert time.monotonic() < deadline, stand.newest
            worst = max(worst, abs(stand.world.truth.lateral_error_m))
            steer(self.line_is_left_m())
            self.page.wait_for_timeout(40)
        return worst


def test_a_lap_is_driven_by_keys(browser: Any, stand_by_hand: Stand) -> None:
    page = browser.new_context(viewport=PHONE).new_page()
    page.goto(stand_by_hand.place.url)
    take_and_arm(page)
    held: set[str] = set()

    def hold(wanted: set[str]) -> None:
        for key in held - wanted:
            page.keyboard.up(key)
        for key in wanted - held:
            page.keyboard.down(key)
        held.clear()
        held.update(wanted)

    def steer(left_m: float) -> None:
        hold({"KeyW"} | ({"KeyA"} if left_m > 0.01 else {"KeyD"} if left_m < -0.01 else set()))

    worst = Person(page).drive_a_lap(stand_by_hand, steer)
    hold(set())
    page.keyboard.press("Space")
    expect(page.locator("#state")).to_have_text("stopped")
    page.context.close()
    assert worst < 0.12, worst


def test_a_lap_is_driven_by_touch(browser: Any, stand_by_hand: Stand) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(stand_by_hand.place.url)
    take_and_arm(page)
    page.locator("#stick").scroll_into_view_if_needed()
    box = page.locator("#stick").bounding_box()
    finger = context.new_cdp_session(page)

    def touch(kind: str, x: float, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def place(left_m: float) -> tuple[float, float]:
        aside = max(-0.4, min(0.4, -left_m * 5))
        return box["x"] + box["width"] * (0.5 + aside), box["y"] + box["height"] * 0.25

    touch("touchStart", *place(0.0))
    worst = Person(page).drive_a_lap(stand_by_hand, lambda left_m: touch("touchMove", *place(left_m)))
    touch("touchEnd", 0, 0)
    page.wait_for_function("() => Math.abs(Number(document.querySelector('#g-speed').value)) < 0.01")
    page.locator("#stop").click()
    expect(page.locator("#state")).to_have_text("stopped")
    context.close()
    assert worst < 0.12, worst

"""Where people sit during a drive: the terminal, a gamepad, the web page; what stops, what arms, who steers."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console

from app.cli.options import natural
from app.cli.recording import Recording
from control.errors import InputError
from control.pilot import Pilot
from robot.config import RobotConfig
from robot.drive.tick import Tick
from robot.teleop import open_switches
from robot.teleop.helm import Helm
from robot.teleop.switch import Switch
from robot.teleop.terminal import own_terminal

if TYPE_CHECKING:
    from app.web.page import Page
    from robot.drive.live_view import LiveView

_FOXGLOVE_PORT = 8765
_MOST_PORT = 65535


@dataclass(slots=True, kw_only=True)
class Cockpit:
    """``helm`` is None when nobody may steer; then only the terminal and the pin are watched, as for any drive.

    A context manager, for ``live``; the switches are entered by the loop.
    """

    switches: list[Switch]
    helm: Helm | None = None
    page: Page | None = None
    live: LiveView | None = None
    help: list[str] = field(default_factory=list)
    """How to drive, for the terminal."""

    @property
    def can_arm(self) -> bool:
        """Whether there is anybody to ask."""
        return own_terminal() is not None or self.page is not None

    def show(self, tick: Tick, sections_s: Mapping[str, float], *, pilot: Pilot) -> None:
        if self.page is not None:
            self.page.show(tick, sections_s, pilot=pilot)
        if self.live is not None:
            self.live(tick, sections_s)

    def telling(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        """``tell``, and the page."""
        page = self.page
        if page is None:
            return tell

        def both(text: str) -> None:
            tell(text)
            page.tell(text)

        return both

    def __enter__(self) -> Cockpit:
        if self.live is not None:
            Console(stderr=True).print(f"Foxglove: open a connection to {self.live.__enter__().url}", highlight=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live is not None:
            self.live.__exit__(kind, error, trace)


def add_page(options: ArgumentParser) -> None:
    add = options.add_argument
    add("--web", action="store_true", help="serve a page to watch, stop, steer, tune and record; prints its address")
    add("--web-host", metavar="HOST", help="also for other computers, as 0.0.0.0; default: this computer alone")
    add("--web-https", action="store_true", help="encrypted, with a certificate that this computer makes for itself")
    add("--web-port", type=natural, metavar="N", help="default: 8420")
    add("--foxglove", action="store_true", help="send all to Foxglove while it drives; for this computer alone")
    add("--foxglove-port", type=natural, metavar="N", help=f"default: {_FOXGLOVE_PORT}")


def watched(chosen: Namespace, config: RobotConfig, *, recording: Recording) -> Cockpit:
    """A drive by the autopilot. Raises InputError, MissingExtraError."""
    switches = open_switches(config.emergency_stop, terminal=own_terminal())
    live = _live_view(chosen, config)
    if not _wants_page(chosen):
        if live is not None and config.camera.source == "sim":
            raise InputError("--foxglove shows a simulated drive in real time only; give --web too")
        return Cockpit(switches=switches, live=live)
    helm = Helm(config.teleop, autopilot=True)
    page = _open_page(chosen, config, helm=helm, recording=recording, autopilot=True)
    return Cockpit(switches=[*switches, page], helm=helm, page=page, live=live)


def steered(chosen: Namespace, config: RobotConfig, *, recording: Recording) -> Cockpit:
    """A drive by hand: page, gamepad and terminal, whoever takes the stick first. Raises InputError, DeviceError."""
    from robot.teleop.gamepad import HELP as PAD_HELP
    from robot.teleop.gamepad import Gamepad, find_gamepad
    from robot.teleop.terminal_stick import HELP as KEYS_HELP
    from robot.teleop.terminal_stick import TerminalStick

    helm, terminal = Helm(config.teleop, autopilot=False), own_terminal()
    cockpit = Cockpit(
        switches=open_switches(config.emergency_stop, terminal=None), helm=helm, live=_live_view(chosen, config)
    )
    pad: Path | None = chosen.gamepad or find_gamepad()
    if terminal is not None:
        cockpit.switches.append(TerminalStick(terminal, helm=helm))
        cockpit.help.append(KEYS_HELP)
    if pad is not None:
        cockpit.switches.append(Gamepad(pad, helm=helm, layout=config.teleop.gamepad))
        cockpit.help.append(PAD_HELP)
    if _wants_page(chosen):
        cockpit.page = _open_page(chosen, config, helm=helm, recording=recording, autopilot=False)
        cockpit.switches.append(cockpit.page)
    if terminal is None and pad is None and cockpit.page is None:
        raise InputError("nobody can steer: there is no terminal and no gamepad; give --web for the page")
    return cockpit


def _wants_page(chosen: Namespace) -> bool:
    if not chosen.web and (chosen.web_host is not None or chosen.web_port is not None or chosen.web_https):
        raise InputError("--web-host, --web-port and --web-https are for the page; give --web too")
    return bool(chosen.web)


def _live_view(chosen: Namespace, config: RobotConfig) -> LiveView | None:
    if not chosen.foxglove:
        if chosen.foxglove_port is not None:
            raise InputError("--foxglove-port is for --foxglove; give that too")
        return None
    from robot.drive.live_view import LiveView

    return LiveView(config, port=_port(chosen.foxglove_port, "--foxglove-port", usual=_FOXGLOVE_PORT))


def _port(chosen: int | None, option: str, *, usual: int) -> int:
    port = usual if chosen is None else chosen
    if port > _MOST_PORT:
        raise InputError(f"{option} {port}: there is no such port; give one up to {_MOST_PORT}")
    return port


def _open_page(chosen: Namespace, config: RobotConfig, *, helm: Helm, recording: Recording, autopilot: bool) -> Page:
    from app.web.address import PORT
    from app.web.page import Page

    port = _port(chosen.web_port, "--web-port", usual=PORT)
    page = Page(
        config, helm=helm, recordings=recording, host=chosen.web_host or "127.0.0.1", port=port,
        https=chosen.web_https, autopilot=autopilot,
    )  # fmt: skip
    console = Console(stderr=True)
    if page.address.warning:
        console.print(page.address.warning, soft_wrap=True, markup=False, highlight=False)
        _show_code(page.address.url)
    # Alone on standard output, for whoever opens it from a script.
    Console().print(page.address.url, soft_wrap=True, markup=False, highlight=False)
    return page


def _show_code(url: str) -> None:
    """For a phone's camera: nobody likes to type a token. Only where somebody sees it."""
    if not sys.stderr.isatty() or find_spec("segno") is None:
        return
    import segno

    segno.make(url, error="l").terminal(out=sys.stderr, compact=True)

"""``linepilot doctor``: one screen about this machine, each row with the command that mends it."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli.options import add_settings, config_from, parser, refuse_unwritable, write_json
from robot.doctor import examine
from robot.doctor.finding import Finding, Level
from robot.doctor.machine import Machine

_WHAT = """Look at this machine: board, system, power, camera, motor board, OpenCV, model, the engine that really ran.

Nothing moves and nothing is written. Each row is ok, a warning or a problem, with what to do about it. Ends with 0 when
nothing stands in the way of a drive with these settings, with 1 when something does."""
_EXAMPLE = """linepilot doctor robot.yaml
  linepilot doctor robot.yaml --json doctor.json
  linepilot doctor camera.source=usb:0 motors.driver=motorhat"""
_MARKS = {Level.OK: "[green]ok[/]", Level.WARNING: "[yellow]warning[/]", Level.PROBLEM: "[red]problem[/]"}


def run(arguments: list[str]) -> int:
    options = parser("doctor", what=_WHAT, example=_EXAMPLE)
    add_settings(options)
    options.add_argument("--json", type=Path, metavar="OUT", help="write the findings to this file")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json)
    config = config_from(chosen.settings)
    console = Console()
    with Console(stderr=True).status("looking"):
        findings = list(examine(Machine(), config))
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    console.print(_table(findings))
    console.print(_verdict(findings), highlight=False)
    write_json(chosen.json, {"drives": not problems, "findings": [_record(finding) for finding in findings]})
    return 1 if problems else 0


def _table(findings: list[Finding]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("part", "", "found"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        fix = f"\n[bold]-> {escape(finding.fix)}[/]" if finding.fix else ""
        table.add_row(finding.part, _MARKS[finding.level], escape(finding.found) + fix)
    return table


def _verdict(findings: list[Finding]) -> str:
    count = {level: sum(finding.level is level for finding in findings) for level in Level}
    if count[Level.PROBLEM]:
        return f"{count[Level.PROBLEM]} of {len(findings)} stand in the way of a drive"
    more = f", {count[Level.WARNING]} could be better" if count[Level.WARNING] else ""
    return f"nothing stands in the way of a drive{more}"


def _record(finding: Finding) -> dict[str, str]:
    return {"part": finding.part, "level": finding.level.value, "found": finding.found, "fix": finding.fix}

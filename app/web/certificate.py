"""A certificate that this computer makes for itself: browsers warn once, and then nobody in the network can listen."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from control.errors import InputError

_DAYS = 825
"""Longer ones are refused by some browsers."""
_TOO_LONG_S = 60


def own_certificate() -> Path:
    """Key and certificate in one file, made at the first call and kept, so that browsers know it again.

    Raises InputError when it cannot be made.
    """
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    path = home / "linepilot" / "web.pem"
    if path.is_file():
        return path
    if shutil.which("openssl") is None:
        raise InputError("--web-https needs the command openssl; install it: sudo apt install openssl")
    temporary = path.with_name(f".web.{os.getpid()}.pem")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.touch(mode=0o600)
        _make(temporary)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"--web-https: {path.parent} cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _make(path: Path) -> None:
    name = socket.gethostname()
    # Key and certificate go to the same file: the key first, then the certificate is added.
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", str(_DAYS), "-subj", f"/CN={name}", "-addext",
        f"subjectAltName=DNS:{name},DNS:{name}.local,DNS:localhost,IP:127.0.0.1", "-keyout", str(path),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=_TOO_LONG_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        raise InputError(f"--web-https: openssl failed ({said[-1] if said else 'no answer'})") from error
    with path.open("ab") as file:
        file.write(done.stdout)

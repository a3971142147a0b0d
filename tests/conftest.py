"""What tests may count on, however the suite was started."""

from __future__ import annotations

import signal

# nohup ignores it, and then so would every program that a test starts.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

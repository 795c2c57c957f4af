# SPDX-License-Identifier: BSD-2-Clause
"""What a service manager sees of lnsd, and an engine that hangs."""

import os
import signal
import socket

import pytest

from lab.lnsd import config
from lab.wait import wait_for

pytestmark = pytest.mark.heavy


@pytest.fixture
def manager(tmp_path):
    """The socket of a service manager; heard() gives what has come since the last time."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.setblocking(False)

        def heard():
            found = []
            while True:
                try:
                    found += listener.recv(4096).decode("ascii").splitlines()
                except BlockingIOError:
                    return found

        heard.path = path
        yield heard


def test_notifications(radius, lnsd, manager, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", manager.path)
    monkeypatch.setenv("WATCHDOG_USEC", "1500000")
    server = lnsd(config()).start()
    seen = []

    def wait(*wanted):
        """Waits until these lines came in this order; READY=1 may come only when lnsd serves."""

        def there():
            seen.extend(manager())
            lines = iter(seen)
            return all(any(line.startswith(one) for line in lines) for one in wanted)

        wait_for(there, f"notifications {wanted}", context=lambda: f"{seen}\n{server.log()}")
        seen.clear()

    wait("READY=1", "STATUS=Serving; sessions: 0")
    wait("WATCHDOG=1")
    wait("WATCHDOG=1")
    server.process.popen.send_signal(signal.SIGHUP)
    wait("RELOADING=1", "MONOTONIC_USEC=", "READY=1")
    with open(server.config, "a", encoding="utf-8") as file:
        file.write("nonsense = 1\n")
    server.process.popen.send_signal(signal.SIGHUP)
    wait("RELOADING=1", "STATUS=The last reload was refused", "READY=1")
    server.process.popen.send_signal(signal.SIGTERM)
    wait("STOPPING=1", "EXTEND_TIMEOUT_USEC=", "STATUS=The last reload was refused, the log says why. Stopping;")
    assert server.process.wait_end() == 0


def test_limits_that_are_too_small(radius, lnsd):
    server = lnsd(config(top="max-sessions = 60000 max-tunnels = 10")).start()
    with open("/proc/sys/kernel/threads-max", encoding="ascii") as file:
        threads = int(file.read())
    needed = 60000 + 1024 + 80 + 2  # sessions, what else the system runs, lnsd's own, the templates of a section
    if threads < needed:
        line = f"kernel.threads-max is {threads}, .*needed: {needed} .sysctl -w kernel.threads-max={needed}."
        server.wait_log(f"warning: {line}")
    else:
        assert "kernel.threads-max" not in server.log()


def test_a_hanging_engine_is_replaced(radius, lnsd):
    """It takes six questions, half a minute."""
    server = lnsd(config()).start()
    os.kill(server.engine(), signal.SIGSTOP)
    server.wait_log("the engine has not answered for 30 s: killing it")
    server.wait_log("engine 2 serves")
    assert server.sessions() == []

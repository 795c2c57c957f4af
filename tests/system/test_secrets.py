# SPDX-License-Identifier: BSD-2-Clause
"""Secrets stay in memory: not in logs, command lines, environments, answers, files or core dumps."""

import contextlib
import os
import re
import signal
import subprocess

import pytest

from lab.lnsd import RADIUS_SECRET, SECRET, config
from lab.site import CORE
from lab.wait import wait_for
from lab.xl2tpd import Call, write

pytestmark = pytest.mark.heavy

DAS_SECRET = "das-geheim-7261"
FILE_SECRET = "file-geheim-9931"
PASSWORD = "wonderland"
SECRETS = [SECRET, RADIUS_SECRET, DAS_SECRET, FILE_SECRET, PASSWORD]
COMMANDS = ["tunnels", "sessions", "stats", "radius", "spool", "das"]


def found_in(data):
    """The secrets in data: as they are, in hexadecimal, in both cases."""
    if isinstance(data, str):
        data = data.encode()
    forms = {s: (s.encode(), s.encode().hex().encode(), s.encode().hex().upper().encode()) for s in SECRETS}
    return [secret for secret, texts in forms.items() if any(text in data for text in texts)]


def test_found_in_finds():
    assert found_in(b"x\0" + SECRET.encode()) == [SECRET]
    assert found_in(f"password = 0x{PASSWORD.encode().hex()}") == [PASSWORD]
    assert not found_in("nothing")


@pytest.fixture
def busy(lnsd, lac, radius):
    """lnsd at its most talkative, having used every secret: right, wrong, from a file, for PAP and CHAP."""

    def make():
        das = (
            f'dynamic-authorization {{ client "{CORE}" {{ secret = "{DAS_SECRET}" }}'
            ' client "192.0.2.66" { secret-file = "%DIR%/das.secret" } }'
        )
        text = config().replace("\tnas-ip-address", f"\t{das}\n\tnas-ip-address")
        assert re.search('^log-level *= "debug"', text, re.M)
        server = lnsd(text)
        write(server.path("das.secret"), f"{FILE_SECRET}\n")
        write(server.config, text.replace("%DIR%", server.directory))
        server.start()
        calls = [
            Call("sub0", "alice", PASSWORD, ["refuse-chap", "refuse-mschap", "refuse-mschap-v2"]),
            Call("sub1", "alice2", PASSWORD + "x"),
        ]
        lac(*calls)
        calls[1].start()
        server.wait_log('failed, user "alice2"')
        calls[0].start()
        calls[0].wait_up()
        server.wait_sessions(1)
        radius.wait_accounting("Start", "alice")
        return server, calls[0]

    return make


def ask(site, secret):
    with site.core.entered():
        subprocess.run(
            ["radclient", "-r", "1", "-t", "1", "192.0.2.1:3799", "coa", secret],
            input="User-Name = alice\nIdle-Timeout = 600\n",
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )


def processes(server):
    """Everything of lnsd: the monitor, the engine, templates and session pppds."""
    pids = [p for p, n in server.namespace.processes().items() if n.startswith("lnsd")] + server.pppds()
    assert len(pids) >= 4, pids
    return pids


def test_no_secret_is_seen(site, busy, radius):
    server, call = busy()
    ask(site, DAS_SECRET)
    ask(site, "wrong")
    server.wait_log("changed by RADIUS client")

    for pid in processes(server):
        for name in ("cmdline", "environ", "comm", "status"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert not found_in(file.read()), (pid, name)
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            core = next(line for line in file if line.startswith("Max core file size"))
        assert core.split()[4:6] == ["0", "0"], (pid, core)
    assert not found_in(site.lns.run("ps", "-eww", "-o", "pid,args"))

    for command in COMMANDS:
        assert not found_in(server.ctl("--json", "show", command)), command
        assert not found_in(server.ctl("show", command)), command
    assert not found_in(server.ctl("--json", "show", "session", str(server.sessions()[0]["id"])))

    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("engine: reloaded")
    call.hang_up()
    radius.wait_accounting("Stop", "alice")
    server.wait_sessions(0)
    server.stop()
    assert "debug: " in server.log()
    assert not found_in(server.log())
    for directory, _, names in os.walk(server.directory):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and path not in (server.config, server.path("das.secret")):
                with open(path, "rb") as file:
                    assert not found_in(file.read()), path


def has_memory(pid):
    """Not one that ended, nor a zombie: their core has been written by then."""
    try:
        with open(f"/proc/{pid}/maps", "rb") as file:
            return file.read(1) != b""
    except OSError:
        return False


@contextlib.contextmanager
def cores_to(directory):
    """Every core dump of this machine goes to a file in directory, whatever RLIMIT_CORE says."""
    pattern = "/proc/sys/kernel/core_pattern"
    helper = os.path.join(directory, "keep")
    write(helper, f'#!/bin/sh\nexec cat >"{directory}/core.$1"\n', 0o700)
    with open(pattern, encoding="ascii") as file:
        before = file.read()
    try:
        with open(pattern, "w", encoding="ascii") as file:
            file.write(f"|{helper} %P")
        yield lambda: {int(n[5:]) for n in os.listdir(directory) if n.startswith("core.")}
    finally:
        with open(pattern, "w", encoding="ascii") as file:
            file.write(before)


def test_no_core_dump(site, busy, tmp_path):
    """A crash writes nothing down, not even through a core handler, which asks for no limit."""
    server, _ = busy()
    pids = [*server.pppds(), server.engine(), server.process.pid]
    with cores_to(str(tmp_path)) as cores:
        with subprocess.Popen(["sleep", "1000"]) as witness:
            witness.send_signal(signal.SIGABRT)
        wait_for(lambda: witness.pid in cores(), "a core dump of a program without secrets")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGABRT)
            wait_for(lambda pid=pid: not has_memory(pid), f"the end of {pid}")
        assert cores() == {witness.pid}, (cores(), pids)
    server.process.wait_end()


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_secret_file_that_others_can_read(lnsd, mode):
    """lnsd says which file, and does not start."""
    server = lnsd(config())
    path = server.path("lac.secret")
    write(path, "geheim\n", mode)
    write(server.config, config().replace(f"secret    = '{SECRET}'", f'secret-file = "{path}"'))
    server.start(wait=False)
    assert server.process.wait_end() == 1
    assert f"{path}: is open to others" in server.log()
    assert "geheim" not in server.log()

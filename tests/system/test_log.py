# SPDX-License-Identifier: BSD-2-Clause
"""Lines for the journal: with fields, from processes without rights, and without waiting for it."""

import contextlib
import os
import socket

import pytest

from lab.lnsd import config
from lab.wait import wait_for
from lab.xl2tpd import Call

PLACE = "/run/systemd/journal/socket"


def parse(datagram):
    """The fields of a record of journald's protocol."""
    fields, rest = {}, datagram
    while rest:
        line, _, rest = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[8 + size + 1 :]
        fields[name.decode("ascii")] = value.decode("ascii")
    return fields


def fill():
    """Nothing more goes into the journal until it is read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, contextlib.suppress(BlockingIOError):
        other.setblocking(False)
        other.connect(PLACE)
        while True:
            other.send(b"MESSAGE=of another program\n")


@pytest.fixture
def journal():
    """A journal that takes what it is sent only when read() is called."""
    if os.path.exists(PLACE):
        pytest.skip("this machine has a journal of its own")
    made = []
    directory = os.path.dirname(PLACE)
    while not os.path.exists(directory):
        made.append(directory)
        directory = os.path.dirname(directory)
    for directory in reversed(made):
        os.mkdir(directory)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(PLACE)
        os.chmod(PLACE, 0o666)
        listener.setblocking(False)
        records = []

        def read():
            with contextlib.suppress(BlockingIOError):
                while True:
                    records.append(parse(listener.recv(65536)))
            return records

        yield read
    os.unlink(PLACE)
    for directory in made:
        os.rmdir(directory)


def test_fields_and_a_journal_that_does_not_read(radius, lnsd, lacs, journal):
    server = lnsd(config(top='log-to = "journal"')).start(wait=False)

    def find(**wanted):
        return [r for r in journal() if all(text in r.get(name, "") for name, text in wanted.items())]

    def wait(**wanted):
        return wait_for(lambda: find(**wanted), f"{wanted}", context=lambda: f"{journal()}\n{server.log()}")[0]

    wait(MESSAGE="engine: ready", LNS_PROCESS="engine")
    wait(MESSAGE="monitor: engine 1 serves", LNS_PROCESS="monitor", PRIORITY="6")
    call, other = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "builder")
    lacs(call, other)
    call.start()
    online = wait(MESSAGE="online", LNS_USER="alice")
    assert online["LNS_LAC"] == "wholesale"
    assert online["LNS_PEER"] == "lac1"
    assert online["LNS_PEER_ADDRESS"].startswith("198.51.100.")
    session = server.wait_sessions(1)[0]
    assert online["LNS_INTERFACE"] == session["ifname"]
    assert online["LNS_SESSION"] == f"{session['id']:016x}"
    assert online["LNS_TUNNEL"] == str(session["tunnel"])
    assert online["SYSLOG_IDENTIFIER"] == "lnsd"
    wait(MESSAGE="tunnel", LNS_TUNNEL=online["LNS_TUNNEL"], LNS_LAC="wholesale", LNS_PEER_ADDRESS="198.51.100.")
    assert server.log() == ""  # nothing on stderr

    # From here on it takes nothing until another subscriber has come, and gone.
    fill()
    other.start()
    other.wait_up()
    server.wait_sessions(2)
    other.hang_up()
    other.wait_down()
    server.wait_sessions(1)
    journal()
    call.hang_up()
    wait(MESSAGE="lines were lost, as nobody read them", PRIORITY="4")
    wait(MESSAGE="offline", LNS_USER="alice")

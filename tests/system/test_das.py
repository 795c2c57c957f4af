# SPDX-License-Identifier: BSD-2-Clause
"""Dynamic authorization (RFC 5176): radclient on core ends and changes sessions, and is refused."""

import os
import re
import signal

import pytest

from lab.das import PORT, das_config
from lab.lnsd import NAME, config
from lab.site import CORE, LNS_CORE
from lab.wait import wait_for
from lab.xl2tpd import Call, write

pytestmark = pytest.mark.heavy


@pytest.fixture
def online(lnsd, lac, radius):
    """Brings alice online, once or several users: gives lnsd, their calls, and alice's session."""

    def make(*calls, **options):
        server = lnsd(das_config(**options)).start()
        calls = calls or (Call("sub0", "alice", "wonderland"),)
        lac(*calls)
        for call in calls:
            call.start()
            call.wait_up()
        server.wait_sessions(len(calls))
        radius.wait_accounting("Start", count=len(calls))
        session = [s for s in server.sessions() if s["user"] == "alice"]
        return server, calls, server.json("show", "session", str(session[0]["id"]))

    return make


def counters(server, client=CORE):
    return next(row for row in server.json("show", "das") if row["client"] == client)


# --- Disconnect --------------------------------------------------------------------------------------


def test_disconnect_by_each_attribute(online, ask, radius):
    """Every identification attribute alone finds the session; with a wrong value it finds none."""
    server, (call,), session = online()
    start = radius.accounting("alice", "Start")[0]
    right = {
        "Acct-Session-Id": start["Acct-Session-Id"],
        "Acct-Multi-Session-Id": start["Acct-Multi-Session-Id"],
        "User-Name": "alice",
        "Framed-IP-Address": "100.64.1.1",
        "NAS-Port": start["NAS-Port"],
        "NAS-Port-Id": start["NAS-Port-Id"],
    }
    wrong = {
        "Acct-Session-Id": "0000000000000001",
        "Acct-Multi-Session-Id": "0000000000000001",
        "User-Name": "Alice",
        "Framed-IP-Address": "100.64.1.2",
        "NAS-Port": "1",
        "NAS-Port-Id": "l2tp1",
        "Calling-Station-Id": "0401",
        "Called-Station-Id": "0402",
    }
    everything = [f'{name} = "{value}"' for name, value in right.items()]
    for name, value in wrong.items():
        others = [line for line in everything if not line.startswith(name + " ")]
        for lines in ([f'{name} = "{value}"'], [*others, f'{name} = "{value}"']):
            answer = ask("disconnect", *lines)
            assert (answer.code, answer.cause) == ("Disconnect-NAK", "Session-Context-Not-Found"), (
                lines,
                answer,
            )
    assert [s["user"] for s in server.sessions()] == ["alice"]
    assert not radius.accounting("alice", "Stop")

    count = 0
    for lines in [[line] for line in everything] + [everything]:
        if count:
            call.wait_down()
            server.wait_sessions(0)
            os.truncate(call.log, 0)
            call.start()
            call.wait_up()
            server.wait_sessions(1)
            starts = radius.wait_accounting("Start", "alice", count=count + 1)
            names = ("Acct-Session-Id", "Acct-Multi-Session-Id", "NAS-Port", "NAS-Port-Id")
            right.update({n: starts[-1][n] for n in names})
            lines = [f'{line.split(" = ")[0]} = "{right[line.split(" = ")[0]]}"' for line in lines]
        answer = ask("disconnect", *lines)
        assert answer.code == "Disconnect-ACK", (lines, answer)
        count += 1
        stops = radius.wait_accounting("Stop", "alice", count=count)
        assert stops[-1]["Acct-Terminate-Cause"] == "Admin-Reset"
    call.wait_down()
    server.wait_sessions(0)
    assert len(server.wait_log(rf'user "alice" offline .* disconnected by RADIUS: client {CORE}')) == count
    row = counters(server)
    assert (row["disconnects"], row["acks"], row["naks"]) == (count + 16, count, 16)


def test_disconnect_of_a_user_ends_all_his_sessions(online, ask, radius):
    calls = [Call("sub0", "alice", "wonderland")]
    calls += [Call(f"sub{n}", "bob", "builder") for n in (1, 2)]
    server, _, _ = online(*calls)
    answer = ask("coa", "User-Name = bob", "Idle-Timeout = 60")
    assert (answer.code, answer.cause) == ("CoA-NAK", "Multiple-Session-Selection-Unsupported")
    assert ask("disconnect", "User-Name = bob").code == "Disconnect-ACK"
    # The ACK waits for their Stops, for a second.
    assert [s["user"] for s in server.sessions()] == ["alice"]
    radius.wait_accounting("Stop", "bob", count=2)


def test_disconnect_of_a_pppd_that_hangs(online, ask):
    """The ACK comes all the same: nothing can call the end off."""
    server, (call,), session = online()
    os.kill(session["pid"], signal.SIGSTOP)
    assert ask("disconnect", "User-Name = alice").code == "Disconnect-ACK"
    server.wait_sessions(0)
    call.wait_down()


def test_nas_identification(online, ask):
    server, _, _ = online()
    for line in ("NAS-Identifier = other", "NAS-IP-Address = 192.0.2.77", "NAS-IPv6-Address = 2001:db8::1"):
        answer = ask("disconnect", "User-Name = alice", line)
        assert (answer.code, answer.cause) == ("Disconnect-NAK", "NAS-Identification-Mismatch"), answer
        answer = ask("coa", "User-Name = alice", "Idle-Timeout = 60", line)
        assert (answer.code, answer.cause) == ("CoA-NAK", "NAS-Identification-Mismatch"), answer
    server.wait_sessions(1)
    answer = ask(
        "disconnect", "User-Name = alice", f"NAS-Identifier = {NAME}", f"NAS-IP-Address = {LNS_CORE}"
    )
    assert answer.code == "Disconnect-ACK"
    server.wait_sessions(0)


def test_refused_requests(online, ask):
    """Every way in which a request of a client cannot be obeyed, by its Error-Cause."""
    server, _, session = online()
    alice = "User-Name = alice"
    before = {n: session[n] for n in ("session_timeout", "idle_timeout", "interim")}
    cases = [
        ("disconnect", [f"NAS-Identifier = {NAME}"], "Missing-Attribute"),
        ("disconnect", [alice, "Session-Timeout = 60"], "Unsupported-Attribute"),
        ("disconnect", [alice, 'Filter-Id = "x"'], "Unsupported-Attribute"),
        ("disconnect", [alice, "User-Name = alice"], "Invalid-Request"),
        ("coa", [alice], "Missing-Attribute"),
        ("coa", ["Session-Timeout = 60"], "Missing-Attribute"),
        ("coa", [alice, "Idle-Timeout = 60", 'Filter-Id = "x"'], "Unsupported-Attribute"),
        ("coa", [alice, "Idle-Timeout = 60", 'Cisco-AVPair = "x=y"'], "Unsupported-Attribute"),
        ("coa", [alice, "Service-Type = Authorize-Only", "State = 0x01"], "Unsupported-Service"),
        ("coa", [alice, "Session-Timeout = 60", "Acct-Interim-Interval = 59"], "Invalid-Attribute-Value"),
        ("coa", ["User-Name = nobody", "Idle-Timeout = 60"], "Session-Context-Not-Found"),
    ]
    for kind, lines, cause in cases:
        answer = ask(kind, *lines, "Proxy-State = 0x0201", "Proxy-State = 0x01")
        assert answer.code == ("Disconnect-NAK" if kind == "disconnect" else "CoA-NAK"), (lines, answer)
        assert answer.cause == cause, (lines, answer)
        assert answer.output.split("Received")[1].count("Proxy-State = ") == 2, answer
        assert re.findall(r"Proxy-State = 0x(\w+)", answer.output.split("Received")[1]) == ["0201", "01"]
    after = server.json("show", "session", str(session["id"]))
    assert {n: after[n] for n in before} == before
    assert counters(server)["naks"] == len(cases)


# --- CoA ---------------------------------------------------------------------------------------------


def test_change_of_authorization(online, ask, radius):
    server, (call,), session = online()
    assert session["session_timeout"] == 3600
    answer = ask(
        "coa",
        f"Acct-Session-Id = {session['acct_session_id']}",
        "Session-Timeout = 7200",
        "Idle-Timeout = 1800",
        "Acct-Interim-Interval = 120",
        'Class = "silver"',
        'Class += "moved"',
    )
    assert answer.code == "CoA-ACK", answer
    session = server.json("show", "session", str(session["id"]))
    assert session["session_timeout"] == 7200
    assert session["idle_timeout"] == 1800
    assert session["interim"] == 120
    server.wait_log(rf"changed by RADIUS client {CORE}: session timeout 7200 s, .*another Class")
    server.wait_sessions(1)
    call.hang_up()
    stop = radius.wait_accounting("Stop", "alice")[0]
    assert [bytes.fromhex(c[2:]) for c in stop["Class"]] == [b"silver", b"moved"]
    assert stop["Framed-IP-Address"] == "100.64.1.1"
    assert stop["Acct-Terminate-Cause"] == "User-Request"


def test_session_timeout_that_is_over(online, ask, radius):
    """It counts from network-up: the session ends at once, by its timeout."""
    server, (call,), session = online()
    wait_for(lambda: server.sessions()[0]["uptime"] >= 1, "a second")
    assert ask("coa", "User-Name = alice", "Session-Timeout = 1").code == "CoA-ACK"
    stop = radius.wait_accounting("Stop", "alice")[0]
    assert stop["Acct-Terminate-Cause"] == "Session-Timeout"
    call.wait_down()
    server.wait_sessions(0)


# --- who is not answered -----------------------------------------------------------------------------


def test_strangers_and_forgers(site, online, ask):
    server, _, _ = online()
    silent = {"timeout": "1"}
    assert ask("disconnect", "User-Name = alice", secret="other", **silent).code is None
    assert ask("disconnect", "User-Name = alice", "Event-Timestamp = 1000", **silent).code is None
    site.core.ip("addr add 192.0.2.66/24 dev core")
    try:
        answer = ask("disconnect", "User-Name = alice", source="192.0.2.66", **silent)
        assert answer.code is None, answer
    finally:
        site.core.ip("addr del 192.0.2.66/24 dev core")
    # lnsd's own host is no client either.
    assert ask("disconnect", "User-Name = alice", host=site.lns, **silent).code is None
    server.wait_sessions(1)
    row = counters(server)
    assert (row["bad_authenticators"], row["stale"], row["disconnects"]) == (1, 1, 0)
    assert counters(server, None)["dropped"] == 2
    server.wait_log("dynamic authorization: 192.0.2.66 is no client")
    server.wait_log(f"client {CORE}: request with a wrong authenticator")
    assert "192.0.2.10" in server.ctl("show", "das")


def test_message_authenticator(online, ask):
    """radclient signs when it is told to, and checks what it gets back."""
    server, _, _ = online()
    answer = ask("coa", "User-Name = alice", "Idle-Timeout = 600", "Message-Authenticator = 0x00")
    assert answer.code == "CoA-ACK", answer
    assert "Message-Authenticator = 0x" in answer.output.split("Received")[1]
    server.wait_sessions(1)


def test_not_configured(lnsd, lac, ask):
    """Without the section the port is closed."""
    server = lnsd(config()).start()
    assert ask("disconnect", "User-Name = alice", timeout="1").code is None
    with pytest.raises(AssertionError, match="no dynamic-authorization section"):
        server.ctl("show", "das")


def test_reload(online, ask):
    """Clients and secrets change while sessions go on; the section may come and go."""

    def reload(text, count):
        write(server.config, text)
        server.process.popen.send_signal(signal.SIGHUP)
        server.wait_log("engine: reloaded", count)

    server, _, _ = online()
    assert ask("coa", "User-Name = alice", "Idle-Timeout = 600").code == "CoA-ACK"
    reload(das_config(f"client \"{CORE}\" {{ secret = 'new' }}"), 1)
    assert ask("coa", "User-Name = alice", "Idle-Timeout = 700", timeout="1").code is None
    assert ask("coa", "User-Name = alice", "Idle-Timeout = 700", secret="new").code == "CoA-ACK"
    row = counters(server)
    assert (row["coas"], row["bad_authenticators"]) == (2, 1)
    reload(config(), 2)
    assert ask("coa", "User-Name = alice", "Idle-Timeout = 800", secret="new", timeout="1").code is None
    reload(das_config(f'port = {PORT} client "{CORE}" {{ secret = new }}'), 3)
    assert ask("disconnect", "User-Name = alice", secret="new").code == "Disconnect-ACK"
    server.wait_sessions(0)


def test_address_in_use(lnsd, site, radius):
    """A start that cannot listen fails and says where."""
    taken = site.lns.socket()
    try:
        taken.bind(("0.0.0.0", PORT))
        server = lnsd(das_config()).start(wait=False)
        assert server.process.wait_end() != 0
        assert f"dynamic authorization: cannot listen on 0.0.0.0:{PORT}: Address already in use" in server.log()
    finally:
        taken.close()

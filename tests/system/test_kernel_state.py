# SPDX-License-Identifier: BSD-2-Clause
"""What lnsd shows of the kernel's L2TP, whoever made it, and what it sets right there."""

import os
import signal
import socket

import pytest

from lab import l2tp
from lab.lnsd import config
from lab.namespace import run
from lab.site import LAC, LNS
from lab.wait import wait_for
from lab.xl2tpd import Call


@pytest.fixture
def genl(site):
    """The kernel's L2TP on lns by netlink; skips where it has no such interface."""
    if reason := l2tp.missing_netlink(site.lns):
        pytest.skip(reason)
    opened = l2tp.Genl(site.lns)
    yield opened
    opened.close()


@pytest.fixture
def online(lnsd, lac):
    """alice is online: online(top=...) gives lnsd and the call."""

    def make(**options):
        server = lnsd(config(**options)).start()
        call = Call("sub0", "alice", "wonderland")
        lac(call)
        call.start()
        call.wait_up()
        server.wait_sessions(1)
        return server, call

    return make


@pytest.fixture
def foreign(site):
    """An L2TPv3 tunnel with a session on lns that ip(8) made."""
    if reason := l2tp.missing_v3(site.lns):
        pytest.skip(reason)
    ends = ["encap", "udp", "local", LNS, "remote", LAC, "udp_sport", "5000", "udp_dport", "5001"]
    site.lns.run("ip", "l2tp", "add", "tunnel", "tunnel_id", "100000", "peer_tunnel_id", "200000", *ends)
    session = ["tunnel_id", "100000", "session_id", "7", "peer_session_id", "8", "cookie", "01020304"]
    site.lns.run("ip", "l2tp", "add", "session", "name", "foreign0", *session)
    yield
    site.lns.run("ip", "l2tp", "del", "tunnel", "tunnel_id", "100000")


def shown(server):
    """The rows, as {(tunnel, session): row}; session None for a tunnel."""
    rows = server.json("show", "kernel")
    found = {(row["tunnel"], row["session"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_tunnel_and_session_is_shown(site, genl, radius, online, foreign):
    server, _ = online()
    session = server.sessions()[0]
    tunnel = server.tunnels()[0]
    wanted = {(tunnel["id"], None), (tunnel["id"], session["session"]), (100000, None), (100000, 7)}
    rows = shown(server)
    assert set(rows) == wanted

    row = rows[(tunnel["id"], None)]
    assert row["owner"] == "lnsd" and row["mark"] is None and row["kind"] == "tunnel"
    assert (row["version"], row["encapsulation"]) == (2, "UDP")
    assert row["peer_tunnel"] == tunnel["peer_id"] and row["name"] == "wholesale"
    assert row["local"] == f"{LNS}:1701" and row["peer"] == f"{LAC}:1701"
    row = rows[(tunnel["id"], session["session"])]
    assert row["owner"] == "lnsd" and row["mark"] is None and row["kind"] == "session"
    assert row["name"] == "alice" and row["ifname"] == session["ifname"]
    assert row["pseudowire"] == "PPP" and row["mode"] == "LNS" and row["sequencing"] == "none"
    assert row["rx_packets"] > 0 and row["tx_octets"] > 0

    row = rows[(100000, None)]
    assert row["owner"] == "other" and row["mark"] is None and row["version"] == 3
    assert row["local"] == f"{LNS}:5000" and row["peer"] == f"{LAC}:5001"
    row = rows[(100000, 7)]
    assert row["owner"] == "other" and row["peer_session"] == 8 and row["ifname"] == "foreign0"
    assert row["pseudowire"] == "Ethernet" and row["send_cookie_octets"] == 4

    if os.path.exists("/sys/kernel/debug/l2tp/tunnels"):  # the monitor opens it for the engine
        assert all(row["references"] > 0 for row in rows.values())
        # Our socket is engine's, monitor's and pppd's; that of ip(8) is the kernel's own.
        assert all(row["sockets"] > 0 for (_, number), row in rows.items() if number is None)
    table = server.ctl("show", "kernel").splitlines()
    assert len(table) == 5 and table[0].split()[:2] == ["TUNNEL", "SESSION"]
    assert any("alice" in line and "lnsd" in line for line in table)


@pytest.mark.heavy
def test_disagreements_are_marked(site, genl, radius, online):
    server, _ = online()
    tunnel, session = server.tunnels()[0]["id"], server.sessions()[0]["session"]
    extra = 1 if session != 1 else 2
    genl.add_session(tunnel, extra, 9)
    assert shown(server)[(tunnel, extra)]["mark"] == "left over"
    genl.delete_session(tunnel, session)

    def missing():
        row = shown(server).get((tunnel, session))
        return row and row["mark"] == "missing in kernel" and row

    row = wait_for(missing, "the mark of the session", context=lambda: server.ctl("show", "kernel"))
    assert row["owner"] == "lnsd" and row["name"] == "alice" and row["peer"] == f"{LAC}:1701"
    genl.delete_tunnel(tunnel)
    wait_for(
        lambda: shown(server)[(tunnel, None)]["mark"] == "missing in kernel",
        "the mark of the tunnel",
        context=lambda: server.ctl("show", "kernel"),
    )
    assert (tunnel, extra) not in shown(server)


def repairs(server):
    return {kind: n for kind, n in server.json("show", "stats")["kernel_audit"].items() if n and kind != "looks"}


def audit_every(server, interval):
    with open(server.config, encoding="utf-8") as file:
        text = file.read()
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(text.replace('kernel-audit = "1h"', f'kernel-audit = "{interval}"'))
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("engine: reloaded")


def wait_repairs(server, **wanted):
    wait_for(lambda: repairs(server) == wanted, f"{wanted}", context=lambda: f"{repairs(server)}\n{server.log()}")


def wait_looks(server, more):
    first = server.json("show", "stats")["kernel_audit"]["looks"]
    wait_for(lambda: server.json("show", "stats")["kernel_audit"]["looks"] >= first + more, f"{more} looks")


def test_audit_repairs_sessions(site, genl, radius, online):
    server, _ = online(top='kernel-audit = "1s"')
    tunnel, session = server.tunnels()[0]["id"], server.sessions()[0]["session"]
    extra = 1 if session != 1 else 2
    genl.add_session(tunnel, extra, 9)
    wait_repairs(server, left_session=1)
    server.wait_log(f"kernel audit: session {extra} of tunnel {tunnel} belongs to nobody: deleted")
    wait_for(lambda: (tunnel, extra) not in shown(server), "the end of the session")
    server.wait_sessions(1)

    genl.delete_session(tunnel, session)
    stop = radius.wait_accounting("Stop", "alice")[0]
    assert stop["Acct-Terminate-Cause"] == "NAS-Error"
    server.wait_sessions(0)
    assert server.json("history")[0]["reason"] == "lost by the kernel"
    wait_repairs(server, left_session=1, lost_session=1)


@pytest.mark.heavy
def test_audit_repairs_tunnels_of_ours_alone(site, genl, radius, online, foreign):
    server, _ = online(top='kernel-audit = "1h"')
    tunnel = server.tunnels()[0]
    server.ctl("disconnect", "tunnel", str(tunnel["id"]))
    wait_for(lambda: not server.tunnels(), "the end of the tunnel", context=server.log)
    wait_for(lambda: (tunnel["id"], None) not in shown(server), "its end in the kernel")
    ours, theirs = site.lns.socket(), site.lns.socket()
    try:
        for sock, port in ((ours, 1701), (theirs, 1702)):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((LNS, 1701))
            sock.connect((LAC, port))
        genl.add_tunnel(ours, tunnel["id"], tunnel["peer_id"])
        other = tunnel["id"] ^ 1
        genl.add_tunnel(theirs, other, tunnel["peer_id"])
        genl.add_session(other, 5, 6)
        rows = shown(server)
        assert (rows[(tunnel["id"], None)]["owner"], rows[(tunnel["id"], None)]["mark"]) == ("lnsd", "left over")
        assert (rows[(other, None)]["owner"], rows[(other, None)]["mark"]) == ("other", None)
        audit_every(server, "1s")
        wait_repairs(server, left_tunnel=1)
        wait_for(lambda: (tunnel["id"], None) not in shown(server), "its end")
        wait_looks(server, 3)
        assert set(shown(server)) == {(other, None), (other, 5), (100000, None), (100000, 7)}
        assert repairs(server) == {"left_tunnel": 1}
    finally:
        ours.close()
        theirs.close()


@pytest.mark.heavy
def test_audit_closes_a_lost_tunnel(site, genl, radius, online):
    server, call = online(top='kernel-audit = "1s"')
    genl.delete_tunnel(server.tunnels()[0]["id"])
    radius.wait_accounting("Stop", "alice")
    wait_repairs(server, lost_tunnel=1)
    server.wait_log("the kernel has lost the tunnel")
    call.wait_down()


# --- the kernel's own events -------------------------------------------------------------------------


@pytest.fixture
def tracing(genl):
    """The directory of the instance; skips where the kernel has no tracepoints of L2TP."""
    if not os.path.exists("/sys/kernel/tracing/events"):
        run("mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing", check=False)
    if not os.path.exists("/sys/kernel/tracing/events/l2tp"):
        pytest.skip("this kernel has no tracepoints of L2TP (no tracefs, or built without them)")
    return "/sys/kernel/tracing/instances/lnsd"


def test_kernel_events_are_shown(site, tracing, radius, online):
    server, _ = online()
    assert "tracing is off" in server.ctl("kernel", "trace", "show", check=False)
    assert server.json("kernel", "trace", "on") == {"tracing": True}
    assert os.path.isdir(tracing)
    tunnel, session = server.tunnels()[0]["id"], server.sessions()[0]["session"]
    server.ctl("disconnect", "user", "alice")
    server.wait_sessions(0)

    def deleted():
        events = server.json("kernel", "trace", "show")
        return [e for e in events if e["event"] == "delete_session"]

    event = wait_for(deleted, "the event", context=lambda: server.ctl("kernel", "trace", "show"))[0]
    assert str(tunnel) in event["text"] or str(session) in event["text"], event
    assert float(event["time"]) > 0 and event["task"]
    assert "delete_session" in server.ctl("kernel", "trace", "show")
    assert server.json("kernel", "trace", "on") == {"tracing": True}  # once more: nothing changes
    assert deleted()
    assert server.json("kernel", "trace", "off") == {"tracing": False}
    assert not os.path.exists(tracing)
    assert server.json("kernel", "trace", "off") == {"tracing": False}
    assert server.json("kernel", "trace", "on") == {"tracing": True}
    server.stop()
    assert not os.path.exists(tracing)


def test_without_tracing_it_says_so(site, lnsd):
    if os.path.exists("/sys/kernel/tracing/events/l2tp"):
        pytest.skip("this kernel has tracepoints of L2TP")
    server = lnsd(config()).start()
    for word in ("on", "off", "show"):
        assert "no tracing" in server.ctl("kernel", "trace", word, check=False)
    assert server.tunnels() == []

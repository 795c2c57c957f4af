# SPDX-License-Identifier: BSD-2-Clause
"""Static L2TPv3 tunnels: lnsd at one end, ip(8) at the other, a ping across; and what a reload changes."""

import os
import re
import signal

import pytest

from lab import l2tp
from lab.lnsd import config
from lab.site import LAC, LNS
from lab.wait import wait_for

LNS6, LAC6 = "2001:db8:1::1", "2001:db8:1::2"
ENDS = {4: (LNS, LAC), 6: (LNS6, LAC6)}


@pytest.fixture
def ipv6(site):
    """IPv6 addresses on the cable between LAC and LNS."""
    for host, address in ((site.lns, LNS6), (site.lac, LAC6)):
        host.sysctl("net/ipv6/conf/wan/disable_ipv6", 0)
        host.ip(f"addr replace {address}/64 dev wan nodad")
    yield
    for host, address in ((site.lns, LNS6), (site.lac, LAC6)):
        host.ip(f"addr del {address}/64 dev wan")


def session(name, number, extra=""):
    return f'\tsession "{name}" {{\n\t\tlocal-id = {number}\n\t\tpeer-id = {number + 1}\n\t\t{extra}\n\t}}\n'


def tunnel(name, number, inside, encap="udp", family=4, extra=""):
    """A static-tunnel section; the peer's numbers and ports are one higher."""
    local, peer = ENDS[family]
    if encap == "udp":
        extra += f"\n\tlocal-port = {5000 + number % 1000}\n\tpeer-port = {5001 + number % 1000}"
    return (
        f'static-tunnel "{name}" {{\n\tencapsulation = "{encap}"\n\tlocal = "{local}"\n'
        f'\tpeer = "{peer}"\n\tlocal-id = {number}\n\tpeer-id = {number + 1}\n\t{extra}\n{inside}}}\n'
    )


class Peer:
    """The other end of such tunnels, made by ip(8)."""

    def __init__(self, site):
        self.host = site.lac
        self.tunnels = []

    def tunnel(self, number, encap="udp", family=4):
        remote, local = ENDS[family]
        words = ["tunnel_id", str(number + 1), "peer_tunnel_id", str(number), "encap", encap]
        words += ["local", local, "remote", remote]
        if encap == "udp":
            words += ["udp_sport", str(5001 + number % 1000), "udp_dport", str(5000 + number % 1000)]
        self.host.run("ip", "l2tp", "add", "tunnel", *words)
        self.tunnels.append(number + 1)

    def session(self, number, tunnel_number, device, address, *extra):
        words = ["tunnel_id", str(tunnel_number + 1), "session_id", str(number + 1)]
        words += ["peer_session_id", str(number)]
        self.host.run("ip", "l2tp", "add", "session", "name", device, *words, *extra)
        self.host.ip(f"addr add {address} dev {device}", f"link set {device} up")

    def close(self):
        for number in self.tunnels:
            self.host.run("ip", "l2tp", "del", "tunnel", "tunnel_id", str(number))


@pytest.fixture
def peer(site):
    made = Peer(site)
    yield made
    made.close()


def needs(site, encap="udp", family=4):
    if reason := l2tp.missing_v3(site.lns, encap, family):
        pytest.skip(reason)


def rows(server):
    return {(row["tunnel"], row["session"]): row for row in server.json("show", "kernel")}


def wait_up(server, **wanted):
    """Waits for the static tunnels to be these, up, with so many sessions: {name: sessions}."""
    wanted = {f"static {name}": count for name, count in wanted.items()}

    def there():
        tunnels = server.tunnels()
        up = {t["lac"]: t["sessions"] for t in tunnels if t["state"] == "up"}
        return up == wanted and len(tunnels) == len(up) and tunnels

    return wait_for(there, f"{wanted}", context=lambda: f"{server.ctl('show', 'tunnels')}\n{server.log()}")


def wait_ping(host, target):
    """Neighbours take their time to be found."""
    wait_for(lambda: "1 received" in host.run("ping", "-n", "-c1", "-W1", target, check=False), target)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("encap", ["udp", "ip"])
def test_ping_across(site, lnsd, peer, ipv6, encap, family):
    needs(site, encap, family)
    inside = session("l2a", 7, "mtu = 1400\n\t\tsend-cookie = '01020304'\n\t\texpect-cookie = '05060708'")
    inside += session("l2b", 17, "send-cookie = '0102030405060708'\n\t\tsequencing = both")
    server = lnsd(config(top=tunnel("site", 100000, inside, encap, family))).start()
    peer.tunnel(100000, encap, family)
    peer.session(7, 100000, "eth7", "10.7.0.2/24", "cookie", "05060708", "peer_cookie", "01020304")
    peer.session(17, 100000, "eth17", "10.17.0.2/24", "peer_cookie", "0102030405060708", "seq", "both")
    shown = wait_up(server, site=2)[0]
    assert (shown["id"], shown["peer_id"]) == (100000, 100001)
    local, remote = ENDS[family]
    if encap == "udp":
        local, remote = [f"[{a}]" if family == 6 else a for a in (local, remote)]
        local, remote = f"{local}:5000", f"{remote}:5001"
    assert (shown["local"], shown["peer"]) == (local, remote)
    site.lns.ip("addr add 10.7.0.1/24 dev l2a", "addr add 10.17.0.1/24 dev l2b")
    assert "mtu 1400" in site.lns.run("ip", "link", "show", "l2a")
    wait_ping(site.lns, "10.7.0.2")
    wait_ping(site.lac, "10.17.0.1")
    assert "3 received" in site.lns.ping("10.7.0.2", count=3, size=1000)
    assert "3 received" in site.lac.ping("10.17.0.1", count=3, size=1000)

    kernel = rows(server)
    assert set(kernel) == {(100000, None), (100000, 7), (100000, 17)}
    assert {row["owner"] for row in kernel.values()} == {"static"}
    assert {row["mark"] for row in kernel.values()} == {None}
    assert {row["encapsulation"] for row in kernel.values()} == {encap.upper()}
    row = kernel[(100000, 7)]
    assert (row["name"], row["ifname"], row["rx_errors"]) == ("l2a", "l2a", 0)
    assert row["send_cookie_octets"] == row["expect_cookie_octets"] == 4
    assert row["rx_packets"] >= 3 and row["tx_octets"] > 3000
    row = kernel[(100000, 17)]
    assert (row["send_cookie_octets"], row["sequencing"]) == (8, "both")
    log = server.log()
    assert not re.search("0102030405060708|05060708", log), "cookies are not for the log"
    server.stop()  # the fixture sees that all is gone


@pytest.mark.heavy
def test_wrong_cookie_gets_nowhere(site, lnsd, peer):
    needs(site)
    inside = session("l2a", 7, "expect-cookie = '05060708'") + session("l2b", 17)
    server = lnsd(config(top=tunnel("site", 100000, inside))).start()
    peer.tunnel(100000)
    peer.session(7, 100000, "eth7", "10.7.0.2/24", "cookie", "15060708")
    peer.session(17, 100000, "eth17", "10.17.0.2/24")
    wait_up(server, site=2)
    site.lns.ip("addr add 10.7.0.1/24 dev l2a", "addr add 10.17.0.1/24 dev l2b")
    wait_ping(site.lac, "10.17.0.1")
    assert " 0 received" in site.lac.run("ping", "-n", "-c2", "-W1", "10.7.0.1", check=False)


def reload(server, text):
    count = len(re.findall("engine: reloaded", server.log()))
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(text)
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("engine: reloaded", count + 1)


def index_of(site, device):
    return site.lns.ip_json("link", "show", device)[0]["ifindex"]


@pytest.mark.heavy
def test_reload_changes_what_has_changed(site, lnsd):
    needs(site)
    first = session("l2a", 7, "mtu = 1400") + session("l2b", 17)
    other = tunnel("other", 300, session("l2x", 27))
    server = lnsd(config(top=tunnel("site", 100000, first) + other)).start()
    wait_up(server, site=2, other=1)
    before = {device: index_of(site, device) for device in ("l2a", "l2b", "l2x")}

    # One session has another MTU, one another cookie, one is new; the other tunnel is as before.
    changed = session("l2a", 7, "mtu = 1300") + session("l2b", 17, "send-cookie = '01020304'")
    changed += session("l2c", 37)
    reload(server, config(top=tunnel("site", 100000, changed) + other))
    wait_up(server, site=3, other=1)
    assert index_of(site, "l2a") == before["l2a"]
    wait_for(lambda: "mtu 1300" in site.lns.run("ip", "link", "show", "l2a"), "the MTU")
    assert index_of(site, "l2x") == before["l2x"]
    assert index_of(site, "l2b") != before["l2b"]
    assert rows(server)[(100000, 17)]["send_cookie_octets"] == 4
    before = {device: index_of(site, device) for device in ("l2a", "l2b", "l2c", "l2x")}

    # A session goes; the other tunnel gets another peer's number and is made afresh.
    moved = other.replace("peer-id = 301", "peer-id = 302")
    reload(server, config(top=tunnel("site", 100000, changed.replace(session("l2a", 7, "mtu = 1300"), "")) + moved))
    wait_up(server, site=2, other=1)
    wait_for(lambda: "l2a" not in site.lns.interfaces(), "the end of l2a")
    assert {d: index_of(site, d) for d in ("l2b", "l2c")} == {d: before[d] for d in ("l2b", "l2c")}
    assert index_of(site, "l2x") != before["l2x"]
    assert rows(server)[(300, None)]["peer_tunnel"] == 302

    # A refused configuration changes nothing.
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(config(top=tunnel("site", 100000, "", extra="nonsense = 1")))
    server.process.popen.send_signal(signal.SIGHUP)
    server.wait_log("unknown option")
    wait_up(server, site=2, other=1)

    # A tunnel goes.
    reload(server, config(top=moved))
    wait_up(server, other=1)
    wait_for(lambda: set(rows(server)) == {(300, None), (300, 27)}, "the end of the tunnel")
    assert index_of(site, "l2x") is not None and "l2c" not in site.lns.interfaces()


@pytest.mark.heavy
def test_kept_and_taken_over(site, lnsd, clean):
    needs(site)
    kept = tunnel("kept", 100000, session("l2a", 7) + session("l2b", 17), extra="keep = true")
    gone = tunnel("gone", 300, session("l2x", 27))
    server = lnsd(config(top=kept + gone)).start()
    wait_up(server, kept=2, gone=1)
    before = index_of(site, "l2a")
    server.stop()
    assert "l2x" not in site.lns.interfaces()
    assert index_of(site, "l2a") == before

    # The next one finds it, without one of its sessions and with another one.
    kept = tunnel("kept", 100000, session("l2a", 7) + session("l2c", 37))
    server = lnsd(config(top=kept)).start()
    wait_up(server, kept=2)
    assert index_of(site, "l2a") == before
    wait_for(lambda: "l2b" not in site.lns.interfaces(), "the end of l2b")
    # And an engine finds what a dead one left.
    os.kill(server.engine(), signal.SIGKILL)
    server.wait_log("engine 2 serves")
    wait_up(server, kept=2)
    assert index_of(site, "l2a") == before
    server.wait_log('static tunnel "kept", id 100000, peer.s 100001: taken over', 2)


@pytest.mark.heavy
def test_what_cannot_be_made_waits_and_hurts_nobody(site, lnsd):
    needs(site)
    ends = ["encap", "udp", "local", LNS, "remote", LAC, "udp_sport", "5300", "udp_dport", "5301"]
    site.lns.run("ip", "l2tp", "add", "tunnel", "tunnel_id", "300", "peer_tunnel_id", "999", *ends)
    try:
        wanted = tunnel("taken", 300, session("l2x", 27)) + tunnel("good", 100000, session("l2a", 7))
        wanted += tunnel("nowhere", 400, "").replace(f'"{LNS}"', '"192.0.2.77"')
        server = lnsd(config(top=wanted)).start()
        server.wait_log('"taken", id 300: cannot be made: the kernel has another tunnel')
        server.wait_log('"nowhere", id 400: cannot be made: local is not an address')
        states = {t["lac"]: (t["state"], t["error"]) for t in server.tunnels()}
        assert states["static good"] == ("up", None)
        assert states["static taken"][0] == states["static nowhere"][0] == "failed"
        kernel = {}
        for row in server.json("show", "kernel"):
            kernel.setdefault((row["tunnel"], row["session"]), []).append((row["owner"], row["mark"]))
        assert kernel[(300, None)] == [("other", "differs"), ("static", "missing in kernel")]
        assert kernel[(400, None)] == [("static", "missing in kernel")]
    finally:
        site.lns.run("ip", "l2tp", "del", "tunnel", "tunnel_id", "300")
    site.lns.ip("addr add 192.0.2.77/32 dev lo")
    try:
        wait_up(server, taken=1, good=1, nowhere=0)
        assert len(re.findall('"taken", id 300: cannot be made', server.log())) == 1
        server.stop()
    finally:
        site.lns.ip("addr del 192.0.2.77/32 dev lo")


@pytest.mark.heavy
def test_audit_makes_again_what_is_gone(site, lnsd):
    needs(site)
    wanted = tunnel("one", 100000, session("l2a", 7)) + tunnel("two", 300, session("l2x", 27))
    server = lnsd(config(top='kernel-audit = "1s"\n' + wanted)).start()
    wait_up(server, one=1, two=1)
    before = index_of(site, "l2x")
    site.lns.run("ip", "l2tp", "del", "session", "tunnel_id", "100000", "session_id", "7")
    server.wait_log('"one": session "l2a" is gone from the kernel: making it again')
    site.lns.run("ip", "l2tp", "del", "tunnel", "tunnel_id", "300")
    server.wait_log('"two", id 300, is gone from the kernel: making it again')
    wait_for(lambda: server.json("show", "stats")["kernel_audit"]["static"] == 2, "the count")
    wait_up(server, one=1, two=1)
    assert index_of(site, "l2x") != before
    ends = ["tunnel_id", "300", "session_id", "99", "peer_session_id", "98"]
    site.lns.run("ip", "l2tp", "add", "session", "name", "more", *ends)
    server.wait_log("kernel audit: session 99 of tunnel 300 belongs to nobody: deleted")
    wait_for(lambda: "more" not in site.lns.interfaces(), "its end")

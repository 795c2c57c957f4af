# SPDX-License-Identifier: BSD-2-Clause
"""A subscriber online: the whole path from a call to its last accounting record, and every end of it."""

import hashlib
import hmac
import os
import re
import signal
import socket

import pytest

from lab.lnsd import NAME, RADIUS_SECRET, config, radius as radius_section
from lab.site import CORE, GATEWAY, LAC, LNS, LNS_CORE
from lab.wait import wait_for
from lab.xl2tpd import Call

NET_ADMIN = 0x1000
POOL = re.compile(r"100\.64\.0\.\d+$")


def alice(**options):
    return Call("sub0", "alice", "wonderland", **options)


def bob(**options):
    return Call("sub0", "bob", "builder", **options)


@pytest.fixture
def online(lnsd, lac):
    """Brings alice online: online() gives lnsd, the LAC and the call."""

    def make(**options):
        server = lnsd(config(**options)).start()
        call = alice()
        access = lac(call)
        call.start()
        call.wait_up()
        server.wait_sessions(1)
        return server, access, call

    return make


# --- a call ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["pap", "chap"])
def test_call(site, radius, lnsd, lac, protocol):
    server = lnsd(config(auth=f'"{protocol}"')).start()
    call = alice()
    lac(call)
    call.start()
    assert call.wait_up() == "100.64.1.1"
    assert call.peer_address() == GATEWAY
    assert call.dns()[0] == "192.0.2.54"  # the one from RADIUS, not that of the configuration
    assert f"sent [{protocol.upper()} " in call.output()

    request = radius.requests("alice")[0]
    assert ("CHAP-Password" in request) == (protocol == "chap")
    assert request["NAS-Identifier"] == NAME
    assert request["NAS-IP-Address"] == LNS_CORE
    assert request["NAS-Port-Type"] == "Virtual"
    assert request["Service-Type"] == "Framed-User"
    assert request["Framed-Protocol"] == "PPP"
    assert "Calling-Station-Id" not in request  # xl2tpd has none, and an empty one is never sent

    start = radius.wait_accounting("Start", "alice")[0]
    session = server.wait_sessions(1)[0]
    device = session["ifname"]
    assert "3 received" in site.lac.ping(CORE, "sub0", count=3, size=1000)
    assert "2 received" in site.lns.ping("100.64.1.1", count=2, size=1000)
    link = site.lns.ip_json("link", "show", device)[0]
    assert link["mtu"] == 1300
    assert link["ifalias"] == f"alice session {session['id']:016x}"

    call.hang_up()
    stop = radius.wait_accounting("Stop", "alice")[0]
    call.wait_down()
    # Five echoes and five answers of 1,000 octets with 28 of headers; IPCP does not count.
    for direction in ("Input", "Output"):
        assert stop[f"Acct-{direction}-Octets"] == str(5 * 1028), stop
        assert stop[f"Acct-{direction}-Packets"] == "5"
    assert stop["Acct-Terminate-Cause"] == "User-Request"
    assert "Acct-Session-Time" in stop
    for record in (start, stop):
        assert record["Framed-IP-Address"] == "100.64.1.1"
        assert record["Acct-Authentic"] == "RADIUS"
        assert [bytes.fromhex(c[2:]) for c in record["Class"]] == [b"gold", b"residential"]
        assert record["Tunnel-Type:0"] == "L2TP"
        assert record["Tunnel-Medium-Type:0"] == "IPv4"
        assert record["Tunnel-Client-Endpoint:0"] == LAC
        assert record["Tunnel-Server-Endpoint:0"] == LNS
        assert record["Tunnel-Client-Auth-Id:0"] == "lac1"
        assert record["Tunnel-Server-Auth-Id:0"] == NAME
        assert record["Acct-Tunnel-Connection"]
    same = set(start) & set(stop) - {"Acct-Status-Type", "Acct-Delay-Time", "Event-Timestamp"}
    same -= {"Timestamp", "Acct-Unique-Session-Id", "Acct-Session-Time"}
    assert {n: start[n] for n in same} == {n: stop[n] for n in same}


def test_twenty_calls_at_once(site, radius, lnsd, lac):
    count = 20
    server = lnsd(config()).start()
    calls = [Call(f"sub{n}", f"user{n}", "builder") for n in range(count)]
    # A LAC of its own for each: on kernels before 6.11 two tunnels cannot share addresses and ports.
    # In user space, as processes of one host would otherwise choose kernel tunnel ids independently.
    for call, address in zip(calls, site.lac_addresses(count)):
        lac(call, address=address, host_name=f"lac-{call.name}", userspace=True)
    for call in calls:
        call.start()
    addresses = [call.wait_up() for call in calls]
    assert len(set(addresses)) == count
    assert all(POOL.match(address) for address in addresses)
    for call in calls:
        assert "1 received" in site.lac.ping(GATEWAY, call.name)
    starts = radius.wait_accounting("Start", count=count)
    assert {(r["User-Name"], r["Framed-IP-Address"]) for r in starts} == {
        (call.user, address) for call, address in zip(calls, addresses)
    }
    sessions = server.wait_sessions(count)
    assert {s["user"] for s in sessions} == {call.user for call in calls}
    assert len(server.tunnels()) == count

    for call in calls:
        call.hang_up()
    stops = radius.wait_accounting("Stop", count=count)
    assert {r["Acct-Session-Id"] for r in stops} == {r["Acct-Session-Id"] for r in starts}
    assert {r["Acct-Terminate-Cause"] for r in stops} == {"User-Request"}
    server.wait_sessions(0)


def test_local_users(site, lnsd, lac, radius):
    users = '# name secret address\nalice "wonderland" 100.64.2.2\nbob builder *\n'
    server = lnsd(config(backend="", top='users = "%USERS%"'), users).start()
    first, second = alice(), Call("sub1", "bob", "builder")
    access = lac(first, second)
    first.start()
    assert first.wait_up() == "100.64.2.2"
    assert first.dns()[0] == "192.0.2.53"
    assert "1 received" in site.lac.ping(GATEWAY, "sub0")
    access.control("d sub0")
    first.wait_down()
    second.start()
    assert POOL.match(second.wait_up())
    server.wait_sessions(1)
    assert not radius.requests()


def test_exec_instead_of_fork(site, radius, lnsd, lac):
    lnsd(config(ppp="exec = true")).start()
    call = alice()
    lac(call)
    call.start()
    assert call.wait_up() == "100.64.1.1"
    assert "1 received" in site.lac.ping(GATEWAY, "sub0")
    call.hang_up()
    radius.wait_accounting("Stop", "alice")


# --- a call that does not come about -----------------------------------------------------------------


def refused(server, call, radius):
    """The call has ended, nobody is online, and nothing was accounted for."""
    call.wait_down()
    server.wait_sessions(0)
    assert not call.address()
    assert not radius.accounting(status="Start")


def freeze_at_authentication(call):
    """Starts the call; the subscriber's pppd stands still once it said who it is.

    It would hang up at the same moment as the LNS, and the LAC would see one of both.
    """
    call.start()
    wait_for(lambda: "sent [CHAP Response" in call.output(), "CHAP", context=call.context)
    call.freeze()


def test_wrong_password(lnsd, lac, radius):
    server = lnsd(config()).start()
    call = Call("sub0", "alice", "wrong")
    lac(call)
    call.start()
    server.wait_log(r'failed, user "alice": authentication refused')
    refused(server, call, radius)
    assert "CHAP authentication failed" in call.output()
    (failed,) = server.json("history", "--user", "alice")
    assert failed["reason"] == "authentication refused"
    assert not server.json("history", "--user", "bob")


def test_radius_silent(site, lnsd, lac, radius):
    """The port is open and nobody answers: the LAC is told, and the log says whom to look at."""
    silent = site.core.socket()
    try:
        silent.bind((CORE, 1999))
        section = radius_section(auth_port=1999, tries=2, timeout="2s")
        server = lnsd(config(backend=section)).start()
        call = alice()
        access = lac(call)
        freeze_at_authentication(call)
        access.process.wait_output("no RADIUS server answers")  # the text of the CDN
        call.kill()
        refused(server, call, radius)
        assert len({silent.recv(4096) for _ in range(2)}) == 1  # retransmissions are identical
        server.wait_log(rf"{CORE}:1999: does it run")
    finally:
        silent.close()


def test_radius_wrong_secret(lnsd, lac, radius):
    """FreeRADIUS drops what is signed with another secret."""
    server = lnsd(config(backend=radius_section(secret="other", tries=1, timeout="2s"))).start()
    call = alice()
    access = lac(call)
    freeze_at_authentication(call)
    access.process.wait_output("no RADIUS server answers")
    call.kill()
    refused(server, call, radius)
    server.wait_log(rf"{CORE}.*secret")


def test_tunnel_wrong_secret(lnsd, lac):
    server = lnsd(config()).start()
    call = alice()
    lac(call, secret="other")
    call.start()
    server.wait_log("(authenti|challenge|secret)")
    established = [t for t in server.tunnels() if t["state"] == "established"]
    assert not established and not server.sessions()


def test_unknown_lac(lnsd, lac):
    server = lnsd(config()).start()
    call = alice()
    lac(call, host_name="stranger")
    call.start()
    server.wait_log("stranger")
    assert not server.sessions()


# --- every end of a call -----------------------------------------------------------------------------


def end_cdn(site, server, access, call):
    local = re.search(r"Call established with .* Local: (\d+)", access.process.output())
    access.control(f"h {local.group(1)}")


def end_stopccn(site, server, access, call):
    call.disconnect()


def end_lcp(site, server, access, call):
    call.hang_up()


def end_operator(site, server, access, call):
    session = server.sessions()[0]
    server.ctl("disconnect", "session", str(session["id"]))
    call.wait_down()
    assert "LCP terminated by peer" in call.output()


def end_lac_killed(site, server, access, call):
    access.kill()


def end_client_killed(site, server, access, call):
    call.kill()


def end_pppd_killed(site, server, access, call):
    session = server.sessions()[0]["id"]
    os.kill(server.json("show", "session", str(session))["pid"], signal.SIGKILL)


# xl2tpd ends its pppd, which terminates LCP, about when it sends CDN or StopCCN: either may be first.
HANGS_UP = {"User-Request", "Lost-Carrier"}
ENDS = [
    (end_cdn, HANGS_UP),
    (end_stopccn, HANGS_UP),
    (end_lcp, {"User-Request"}),
    (end_operator, {"Admin-Reset"}),
    (end_lac_killed, {"Lost-Carrier"}),
    (end_client_killed, {"Lost-Carrier"}),
    (end_pppd_killed, {"NAS-Error"}),
]


@pytest.mark.parametrize("end,causes", ENDS, ids=[end.__name__[4:] for end, _ in ENDS])
def test_end(site, radius, online, end, causes):
    server, access, call = online(lac='hello = "2s"\n\tretransmits = 2', ppp='lcp-echo = "2s"')
    assert "1 received" in site.lac.ping(GATEWAY, "sub0", size=472)
    end(site, server, access, call)
    stop = radius.wait_accounting("Stop", "alice")[0]
    assert stop["Acct-Terminate-Cause"] in causes
    assert (stop["Acct-Input-Octets"], stop["Acct-Output-Octets"]) == ("500", "500")
    server.wait_sessions(0)
    assert len(server.pppds()) == 1, "only the template may be left"


def test_carrier_loss(site, radius, online):
    """The cable to the LAC is cut."""
    server, access, call = online(lac='hello = "2s"\n\tretransmits = 2', ppp='lcp-echo = "2s"')
    site.carrier(False)
    try:
        stop = radius.wait_accounting("Stop", "alice")[0]
        assert stop["Acct-Terminate-Cause"] == "Lost-Carrier"
        server.wait_sessions(0)
        wait_for(lambda: not server.tunnels(), "the end of the tunnel", context=server.log)
    finally:
        access.kill()
        site.carrier(True)


def test_session_timeout(site, radius, online, lac):
    """alice has 3,600 s from RADIUS, which counts more than the configuration; bob has none."""
    server, _, call = online(ppp='session-timeout = "2s"')
    session = server.json("show", "session", str(server.sessions()[0]["id"]))
    assert session["session_timeout"] == 3600
    call.hang_up()
    call.wait_down()
    server.wait_sessions(0)

    again = bob()
    lac(again, address=site.lac_addresses(1)[0])
    again.start()
    again.wait_up()
    stop = radius.wait_accounting("Stop", "bob")[0]
    assert stop["Acct-Terminate-Cause"] == "Session-Timeout"
    again.wait_down()


# --- the daemon --------------------------------------------------------------------------------------


def test_sigterm(site, radius, online):
    """Everything ends cleanly, the Stop records have left before the process has."""
    server, access, call = online()
    server.stop()
    stop = radius.accounting("alice", "Stop")
    assert len(stop) == 1
    assert stop[0]["Acct-Terminate-Cause"] == "NAS-Reboot"
    call.wait_down()
    assert "LCP terminated by peer" in call.output()
    assert not server.pppds()
    assert not [i for i in site.lns.interfaces() if i.startswith("ppp")]


def test_engine_killed(site, radius, lnsd, lac):
    """A new engine ends the sessions of the dead one with their true counters and serves on."""
    server = lnsd(config()).start()
    call = bob()
    access = lac(call)
    call.start()
    call.wait_up()
    server.wait_sessions(1)
    radius.wait_accounting("Start", "bob")
    assert "1 received" in site.lac.ping(GATEWAY, "sub0", size=472)

    old = server.engine()
    monitor = server.process.pid
    os.kill(old, signal.SIGKILL)
    stop = radius.wait_accounting("Stop", "bob")[0]
    assert stop["Acct-Terminate-Cause"] == "NAS-Error"
    assert (stop["Acct-Input-Octets"], stop["Acct-Output-Octets"]) == ("500", "500")
    assert server.process.running() and server.process.pid == monitor
    server.wait_log("ready", count=2)
    assert server.engine() not in (None, old)
    server.wait_sessions(0)
    wait_for(lambda: len(server.pppds()) == 1, "the end of the session's pppd", context=server.log)
    access.kill()

    again = Call("sub1", "bob", "builder")
    lac(again)
    again.start()
    again.wait_up()
    assert "1 received" in site.lac.ping(GATEWAY, "sub1")
    starts = radius.wait_accounting("Start", "bob", count=2)
    assert len({record["Acct-Session-Id"] for record in starts}) == 2


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def test_privileges(online):
    server, _, _ = online()
    engine = status(server.engine())
    assert "0" not in engine["Uid"].split() and "0" not in engine["Gid"].split()
    assert engine["Groups"].split() in ([], engine["Gid"].split()[:1])
    for key in ("CapEff", "CapPrm", "CapBnd"):
        assert int(engine[key], 16) == NET_ADMIN, key
    assert engine["NoNewPrivs"] == "1"

    pppds = server.pppds()
    assert len(pppds) == 2, "template and session"
    assert server.session_pid() in pppds
    for pid in pppds:
        pppd = status(pid)
        for key in ("CapEff", "CapPrm", "CapBnd"):
            assert int(pppd[key], 16) == NET_ADMIN, key
        assert pppd["NoNewPrivs"] == "1"
        parent = int(pppd["PPid"])
        assert parent == server.process.pid, "the monitor reaps them"
        # It sees no script, option or secret, and of /run only what it made itself.
        assert os.listdir(f"/proc/{pid}/root/etc/ppp") == []
        assert all(name.startswith("ppp") for name in os.listdir(f"/proc/{pid}/root/run"))


def test_engine_writes_only_its_directories(online):
    """What the engine has open for writing, and what it could open."""
    server, _, _ = online()
    pid = server.engine()
    allowed = (server.run_dir, server.state_dir)
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            path = os.readlink(f"/proc/{pid}/fd/{fd}")
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
                flags = int(re.search(r"flags:\s+(\d+)", file.read()).group(1), 8)
        except FileNotFoundError:
            continue  # closed meanwhile
        writable = flags & os.O_ACCMODE != os.O_RDONLY
        if path.startswith("/") and writable and not path.startswith(("/dev/null", "/memfd:")):
            assert path.startswith(allowed) or path == server.process.log, path
    uid = int(status(pid)["Uid"].split()[0])
    for path in (server.directory, server.config, "/etc", "/usr/bin"):
        info = os.stat(path)
        assert info.st_uid != uid and not info.st_mode & 0o002


# --- lnsctl ------------------------------------------------------------------------------------------


def test_show(online):
    server, _, call = online()
    session = server.sessions()[0]
    assert session["user"] == "alice"
    assert session["ip"] == "100.64.1.1"
    tunnel = server.tunnels()[0]
    assert tunnel["host_name"] == "lac1"
    assert tunnel["sessions"] == 1
    assert tunnel["state"] == "established"
    one = server.json("show", "session", str(session["id"]))
    assert one["user"] == "alice"

    table = server.ctl("show", "sessions")
    assert "alice" in table and "100.64.1.1" in table and session["ifname"] in table
    assert "lac1" in server.ctl("show", "tunnels")
    assert "alice" in server.ctl("show", "session", str(session["id"]))


def test_lnsctl_says_what_is_wrong(lnsd):
    server = lnsd(config()).start()
    for words in (["show", "nonsense"], ["disconnect", "session", "99999"], ["show", "session", "x"]):
        with pytest.raises(AssertionError, match=r"status [1-9]\d*\n.+"):
            server.ctl(*words)


def test_check(lnsd, site):
    """--check names file, line and reason, and starts nothing."""
    server = lnsd(config(top='listem = { "::" }'))
    server.start(wait=False)
    assert server.process.wait_end() != 0
    assert re.search(r"lns\.conf:\d+: .*listem", server.log())


# --- garbage -----------------------------------------------------------------------------------------


def survivors(site, server, call, engine):
    """The same engine still serves the same session."""
    assert server.engine() == engine
    assert "1 received" in site.lac.ping(GATEWAY, call.name)
    assert len(server.sessions()) == 1


def test_garbage_on_l2tp(site, online):
    server, _, call = online()
    engine = server.engine()
    tunnel = server.tunnels()[0]["id"].to_bytes(2, "big")
    session = server.sessions()[0]
    packets = [b"", b"\0", b"\xff" * 1400, b"\xc8\x02", b"\xc8\x02\x00\x0c" + b"\xff" * 8]
    packets += [os.urandom(n) for n in (2, 6, 12, 40, 200, 1400)]
    # Control packets of a live tunnel with lengths that lie, and data for a session that is not.
    packets += [b"\xc8\x02\x00\x14" + tunnel + b"\0\0\0\x09\0\0\x80\xff\0\0\0\0\0\x06"]
    packets += [b"\xc8\x02\xff\xff" + tunnel + bytes(6), b"\x00\x02" + tunnel + b"\xff\xfe\xff\x03"]
    for port in (0, 1702):
        with site.lac.socket() as sender:
            sender.bind((LAC, port))
            for packet in packets * 20:
                sender.sendto(packet, (LNS, 1701))
    lines = len(server.log().splitlines())
    survivors(site, server, call, engine)
    assert session["id"] == server.sessions()[0]["id"]
    assert lines < 1000, "a packet must not make a line"


def test_garbage_on_control_socket(site, online):
    server, _, call = online()
    engine = server.engine()
    path = os.path.join(server.run_dir, "control.sock")
    texts = [b"", b"\n", b"{", b"{}\n", b"[]\n", b"null\n", b"\0" * 100 + b"\n", b"x" * 200000]
    texts += [b'{"command": 7}\n', b'{"command": "show"}\n', os.urandom(5000) + b"\n"]
    texts += [b"[" * 50000 + b"\n"]
    for text in texts:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(30)
            sock.connect(path)
            try:
                sock.sendall(text)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass  # it may have had enough
    survivors(site, server, call, engine)


def test_garbage_on_radius(site, radius, lnsd, lac):
    """A server that answers with nonsense and forgeries, and then not: the call is refused."""
    server_socket = site.core.socket()
    server_socket.bind((CORE, 1999))
    server_socket.settimeout(60)
    try:
        section = radius_section(auth_port=1999, tries=2, timeout="2s")
        server = lnsd(config(backend=section)).start()
        engine = server.engine()
        call = alice()
        lac(call)
        call.start()
        request, peer = server_socket.recvfrom(4096)
        forged = bytes([2, request[1], 0, 20]) + bytes(16)
        for answer in (b"", b"\2", os.urandom(500), forged, bytes([2, request[1], 0xFF, 0xFF])):
            server_socket.sendto(answer, peer)
        wait_for(lambda: "Connection terminated" in call.output(), "the refusal", context=call.context)
        assert not call.address()
        assert server.engine() == engine
    finally:
        server_socket.close()


def accept(request, secret=RADIUS_SECRET, spoil=0, sign=True):
    """An Access-Accept as a server makes it: Response Authenticator and Message-Authenticator (RFC 2865, 2869)."""
    secret = secret.encode()
    signature = bytes([80, 18]) + bytes(16) if sign else b""
    head = bytes([2, request[1], 0, 20 + len(signature)])
    if sign:
        mac = hmac.new(secret, head + request[4:20] + signature, "md5").digest()
        signature = bytes([80, 18, mac[0] ^ spoil]) + mac[1:]
    return head + hashlib.md5(head + request[4:20] + signature + secret).digest() + signature


def test_forged_accepts(site, radius, lnsd, lacs):
    """Forged, replayed, from the wrong source, wrongly signed, unsigned: never online. A true one is."""
    seen = {}

    def truly(request, peer):
        seen["accept"] = accept(request)
        server_socket.sendto(seen["accept"], peer)

    def replayed(request, peer):
        for identifier in (seen["accept"][1], request[1]):
            server_socket.sendto(seen["accept"][:1] + bytes([identifier]) + seen["accept"][2:], peer)

    ways = {
        "another secret": lambda request, peer: server_socket.sendto(accept(request, secret="guessed"), peer),
        "replayed": replayed,
        "wrong source": lambda request, peer: other_socket.sendto(accept(request), peer),
        "bad Message-Authenticator": lambda request, peer: server_socket.sendto(accept(request, spoil=1), peer),
        "no Message-Authenticator": lambda request, peer: server_socket.sendto(accept(request, sign=False), peer),
    }

    def serve(answer):
        try:
            request, peer = server_socket.recvfrom(4096)
        except socket.timeout:
            return
        if request[0] == 1:
            answer(request, peer)
        else:  # Status-Server: it is alive
            server_socket.sendto(accept(request), peer)

    def until(call, said, answer, what):
        def there():
            serve(answer)
            return said in call.output()

        wait_for(there, what, context=call.context)

    server_socket, other_socket = site.core.socket(), site.core.socket()
    try:
        server_socket.bind((CORE, 1999))
        other_socket.bind((CORE, 1998))
        server_socket.settimeout(0.1)
        server = lnsd(config(backend=radius_section(auth_port=1999, tries=2, timeout="1s"))).start()
        first, *others = [Call(f"sub{n}", "alice", "wonderland") for n in range(1 + len(ways))]
        lacs(first, *others)
        first.start()
        until(first, "local  IP address", truly, "a true Access-Accept")
        for call, (name, answer) in zip(others, ways.items()):
            call.start()
            until(call, "Connection terminated", answer, f"the refusal of: {name}")
            assert not call.address(), name
            call.wait_down()
        server.wait_sessions(1)
        assert len(server.wait_log(r'user "alice" online')) == 1
        (row,) = [row for row in server.json("show", "radius") if row["purpose"] == "authentication"]
        assert row["accepts"] == 1 and row["bad_authenticators"] >= 4, row
    finally:
        server_socket.close()
        other_socket.close()


def test_monitor_killed(site, radius, online):
    """Nobody is there to signal pppds any more: the engine ends everything through the kernel."""
    server, access, call = online()
    assert "1 received" in site.lac.ping(GATEWAY, "sub0", size=472)
    engine = server.engine()
    os.kill(server.process.pid, signal.SIGKILL)
    stop = radius.wait_accounting("Stop", "alice")[0]
    assert stop["Acct-Terminate-Cause"] == "NAS-Reboot"
    assert (stop["Acct-Input-Octets"], stop["Acct-Output-Octets"]) == ("500", "500")
    wait_for(lambda: not os.path.exists(f"/proc/{engine}"), "the end of the engine")
    wait_for(lambda: not server.pppds(), "the end of every pppd")
    call.wait_down()

# SPDX-License-Identifier: BSD-2-Clause
"""L2TP as other programs and a real network see it: xl2tpd, a scripted LAC, and operators' commands."""

import re
import signal
import socket
import struct

import pytest

from lab import script
from lab.lnsd import BUILD, SECRET, config
from lab.script import CDN, DISCONNECT_CAUSE, RESULT, SESSION_ID, ScriptLac, avp, u16, u32
from lab.site import GATEWAY, LAC, LNS
from lab.wait import wait_for
from lab.xl2tpd import Call, Xl2tpdLns

pytestmark = pytest.mark.heavy

LNS6, LAC6 = "2001:db8:1::1", "2001:db8:1::2"


@pytest.fixture
def scripted(site, clean):
    """Makes scripted LACs: scripted(secret=...)."""
    made = []

    def make(address=LAC, lns=LNS, **options):
        options.setdefault("secret", SECRET)
        made.append(ScriptLac(site.lac, address, lns, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def alice(name="sub0", **options):
    return Call(name, "alice", "wonderland", **options)


def tunnel_of(server, state="established"):
    """The only tunnel, once it is in this state."""

    def there():
        found = [t for t in server.tunnels() if t["state"] == state]
        return len(found) == 1 and found[0]

    return wait_for(there, f"a tunnel {state}", context=server.log)


def no_tunnels(server, *lacs):
    """Waits for the end of all tunnels; scripted LACs acknowledge what they are told meanwhile."""

    def gone():
        for lac in lacs:
            lac.acknowledge()
        return not server.tunnels()

    wait_for(gone, "the end of all tunnels", context=server.log)


# --- xl2tpd as a LAC ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret,hide", [(False, False), (True, False), (True, True)], ids=["open", "secret", "hidden"]
)
def test_xl2tpd(site, lnsd, lac, secret, hide):
    text = config(lac="hide-avps = true" if hide else "")
    if not secret:
        text = text.replace(f"\tsecret    = '{SECRET}'\n", "")
    server = lnsd(text).start()
    call = alice()
    options = {"sections": ["hidden bit = yes"]} if hide else {}
    lac(call, secret=SECRET if secret else None, **options)
    call.start()
    call.wait_up()
    assert "1 received" in site.lac.ping(GATEWAY, "sub0")
    call.hang_up()
    call.wait_down()
    server.wait_sessions(0)


def test_xl2tpd_with_a_wrong_secret(lnsd, lac):
    server = lnsd(config()).start()
    call = alice()
    access = lac(call, secret="something else")
    call.start()
    server.wait_log("result 4 \\(not authorized\\)|Invalid challenge authentication")
    assert {t["state"] for t in server.tunnels()} <= {"closing"}
    assert server.sessions() == []
    assert not call.pids()
    access.kill()


def test_xl2tpd_with_several_tunnels(site, lnsd, lac):
    """From one address and one port: xl2tpd opens a tunnel for each of its sections."""
    server = lnsd(config()).start()
    calls = [Call(f"sub{n}", f"user{n}", "builder") for n in range(3)]
    access = lac(*calls, userspace=True)
    for call in calls:
        call.start()
        call.wait_up()
    assert len(server.tunnels()) == 3
    assert len({t["peer"] for t in server.tunnels()}) == 1
    for call in calls:
        assert "1 received" in site.lac.ping(GATEWAY, call.name)
    access.control("d sub1")
    calls[1].wait_down()
    server.wait_sessions(2)
    for call in (calls[0], calls[2]):
        assert "1 received" in site.lac.ping(GATEWAY, call.name)


def test_xl2tpd_reboots(site, lnsd, lac):
    """The LAC dies without a word and comes back from the same port: served at once."""
    server = lnsd(config()).start()
    call = Call("sub0", "bob", "builder")
    access = lac(call)
    call.start()
    call.wait_up()
    first = tunnel_of(server)
    access.kill()
    again = Call("sub1", "bob", "builder")
    lac(again)
    again.start()
    again.wait_up()
    assert "1 received" in site.lac.ping(GATEWAY, "sub1")
    wait_for(lambda: first["id"] not in [t["id"] for t in server.tunnels()], "the end of the old tunnel")
    server.wait_sessions(1)
    assert first["retransmissions"] == 0


def test_a_fixed_address_after_a_reboot(lnsd, lac):
    """The subscriber is back before the LNS has given up the old tunnel: not refused, not for a second."""
    server = lnsd(config()).start()
    call = alice()
    access = lac(call)
    call.start()
    address = call.wait_up()
    before = server.wait_sessions(1)[0]["id"]
    access.kill()
    again = alice("sub1")
    lac(again)
    again.start()
    assert again.wait_up() == address
    assert server.wait_sessions(1)[0]["id"] != before
    server.wait_log("offline .*tunnel lost: its LAC is silent, and another session takes its place")
    assert "address is in use" not in server.log()


def test_a_fixed_address_is_not_taken_from_a_live_lac(lnsd, lac):
    """By another tunnel, but the LAC of the first one answers: the policy holds."""
    server = lnsd(config()).start()
    first, second = alice(), alice("sub1")
    lac(first, second, userspace=True)
    first.start()
    address = first.wait_up()
    second.start()
    server.wait_log("address is in use")
    assert first.address() == address
    assert [s["state"] for s in server.sessions() if s["ip"] == address] == ["up"]


@pytest.mark.parametrize(
    "secret,hide", [(False, False), (True, False), (True, True)], ids=["open", "secret", "hidden"]
)
def test_xl2tpd_is_called(site, lnsd, clean, tmp_path, secret, hide):
    """We open the tunnel, each side proves the secret to the other; xl2tpd cannot place calls and stops it."""
    text = config(lac="hide-avps = true" if hide else "").replace('"lac*"', '"*"')
    if not secret:
        text = text.replace(f"\tsecret    = '{SECRET}'\n", "")
    server = lnsd(text).start()
    peer = Xl2tpdLns(site.lac, str(tmp_path / "xl2tpd"), LAC, {}, secret=SECRET if secret else None)
    ctl = Ctl(server, "call", "--lac", "wholesale", "--address", LAC, "800")
    try:
        assert ctl.process.wait_end() == 1, ctl.context()
        server.wait_log("established, peer's tunnel")
        assert "i don't know how to handle Outgoing-Call-Request" in peer.process.output()
        assert "the tunnel has ended" in ctl.process.output()
        server.wait_log("ended by the peer after 1 calls: result 1")
        assert server.sessions() == []
    finally:
        print(peer.process.output())
        peer.stop()


# --- a scripted LAC ----------------------------------------------------------------------------------


def test_messages_of_a_call(lnsd, scripted):
    server = lnsd(config(lac="hide-avps = true")).start()
    lac = scripted()
    sccrp = lac.open()
    assert sccrp.source == (LNS, 1701)
    assert sccrp.tunnel_id == lac.tunnel_id
    lac.icrq(5)
    icrp = lac.expect(script.ICRP)
    assert icrp.hidden and not sccrp.hidden
    peer = icrp.u16(SESSION_ID)
    lac.send(
        script.ICCN, avp(script.TX_SPEED, u32(64000)), avp(script.FRAMING_TYPE, u32(1)), session_id=peer
    )
    tunnel = tunnel_of(server)
    assert (tunnel["peer_id"], tunnel["host_name"]) == (77, "lac1")
    wait_for(lambda: lac.receive(0.1) or lac.data, "a PPP frame", context=server.log)
    lac.stop()
    server.wait_sessions(0)
    server.wait_log("result 1 \\(general request to clear\\)")


def test_wrong_answers_are_refused(lnsd, scripted):
    server = lnsd(config()).start()
    lacs = [scripted(port=0, secret=secret) for secret in ("something else", None)]
    for lac in lacs:
        lac.sccrq()
        sccrp = lac.expect(script.SCCRP, acknowledge=False)
        lac.peer_id = sccrp.u16(script.TUNNEL_ID)
        answer = [avp(script.RESPONSE, bytes(16))] if lac.secret else []
        lac.send(script.SCCCN, *answer)
        assert lac.expect(script.STOPCCN).result()[0] == 4
    no_tunnels(server, *lacs)


def test_the_end_is_acknowledged_again_and_again(lnsd, scripted):
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    tunnel_of(server)
    lac.stop()
    tunnel_of(server, "closing")
    for _ in range(3):
        while lac.receive(0.2):
            pass

        def acknowledged():
            lac.repeat()
            answer = lac.receive(1)
            return answer and (answer.kind, answer.nr) == (script.ZLB, lac.ns)

        wait_for(acknowledged, "an acknowledgement", context=server.log)
    assert tunnel_of(server, "closing")


def test_unknown_tunnels_are_ignored(lnsd, scripted):
    server = lnsd(config()).start()
    lac = scripted()
    lac.peer_id = 4711
    lac.send(script.HELLO)
    lac.expect_silence()
    server.wait_log("unknown tunnel 4711 ignored")
    assert server.tunnels() == []


def test_max_sessions(lnsd, scripted):
    """The call over the limit is refused at once, so that the LAC goes to another LNS."""
    server = lnsd(config(lac="max-sessions = 1")).start()
    lac = scripted()
    lac.open()
    lac.icrq(5)
    lac.expect(script.ICRP)
    lac.icrq(6)
    cdn = lac.expect(CDN)
    assert cdn.result() == (2, 4)
    assert cdn.session_id == 6
    assert "limit of 1 sessions" in cdn.text()
    lac.stop()
    server.wait_sessions(0)


def test_a_call_that_fails_costs_one_line(lnsd, scripted):
    """It has everything: who called where, through which LAC, why it failed, and when."""
    server = lnsd(config().replace('"debug"', '"info"')).start()
    lac = scripted()
    lac.open()
    numbers = (avp(script.CALLED_NUMBER, b"800"), avp(script.CALLING_NUMBER, b"5551234"))
    lac.icrq(5, *numbers)
    peer = lac.expect(script.ICRP).u16(SESSION_ID)
    lac.send(CDN, avp(RESULT, u16(1)), avp(SESSION_ID, u16(5)), session_id=peer)
    server.wait_log("failed: ended by the LAC")
    lac.stop()
    server.wait_sessions(0)
    lines = [line for line in server.log().splitlines() if f"/{peer}" in line or "5551234" in line]
    assert len(lines) == 1, lines
    for part in ("/%u from 5551234 to 800 via" % peer, '"wholesale" (lac1, 198.51.100.', "result 1 (carrier lost)", "(waiting, "):
        assert part in lines[0], lines


def test_every_address_answers_for_itself(site, lnsd, scripted):
    """A listener on all addresses answers from the one that was asked."""
    site.lns.ip("addr add 198.51.100.3/24 dev wan")
    try:
        server = lnsd(config()).start()
        lac = scripted(lns="198.51.100.3")
        assert lac.open().source == ("198.51.100.3", 1701)
        assert tunnel_of(server)["local"] == "198.51.100.3:1701"
        lac.call(5)
        lac.stop()
        server.wait_sessions(0)
        server.stop()
    finally:
        site.lns.ip("addr del 198.51.100.3/24 dev wan")


def test_ipv6(site, lnsd, scripted):
    site.lns.ip(f"addr add {LNS6}/64 dev wan nodad")
    site.lac.ip(f"addr add {LAC6}/64 dev wan nodad")
    try:
        text = config().replace('"0.0.0.0"', '"0.0.0.0", "::"')
        server = lnsd(text.replace('"198.51.100.0/24"', '"2001:db8:1::/64"')).start()
        lac = scripted(LAC6, LNS6)
        assert lac.open().source == (LNS6, 1701)
        assert tunnel_of(server)["peer"] == f"[{LAC6}]:1701"
        lac.call(5)
        wait_for(lambda: lac.receive(0.1) or lac.data, "a PPP frame", context=server.log)
        lac.stop()
        server.wait_sessions(0)
        server.stop()
    finally:
        site.lns.ip(f"addr del {LNS6}/64 dev wan")
        site.lac.ip(f"addr del {LAC6}/64 dev wan")


def test_port_per_tunnel(lnsd, scripted):
    server = lnsd(config(lac="port-per-tunnel = true")).start()
    lac = scripted()
    lac.sccrq()
    sccrp = lac.expect(script.SCCRP, acknowledge=False)
    assert sccrp.source[0] == LNS and sccrp.source[1] != 1701
    lac.lns = sccrp.source  # RFC 2661 section 8.1: from now on there
    lac.peer_id = sccrp.u16(script.TUNNEL_ID)
    answer = lac.response(script.SCCCN, sccrp.avps[script.CHALLENGE])
    lac.send(script.SCCCN, avp(script.RESPONSE, answer))
    assert tunnel_of(server)["local"] == f"{LNS}:{sccrp.source[1]}"
    lac.call(5)
    wait_for(lambda: lac.receive(0.1) or lac.data, "a PPP frame", context=server.log)
    lac.stop()
    server.wait_sessions(0)


def test_a_lac_behind_nat(lnsd, scripted):
    """Its port changes before the tunnel is established, and must not afterwards."""
    server = lnsd(config()).start()
    lac = scripted(port=1701)
    moved = scripted(port=20000)
    lac.sccrq()
    sccrp = lac.expect(script.SCCRP, acknowledge=False)
    lac.peer_id = sccrp.u16(script.TUNNEL_ID)
    lac.socket, moved.socket = moved.socket, lac.socket
    answer = lac.response(script.SCCCN, sccrp.avps[script.CHALLENGE])
    lac.send(script.SCCCN, avp(script.RESPONSE, answer))
    assert tunnel_of(server)["peer"] == f"{LAC}:20000"
    lac.call(5)
    wait_for(lambda: lac.receive(0.1) or lac.data, "a PPP frame", context=server.log)
    lac.socket, moved.socket = moved.socket, lac.socket
    lac.send(script.HELLO)
    server.wait_log("which is not its peer")
    lac.ns -= 1
    lac.socket, moved.socket = moved.socket, lac.socket
    lac.stop()
    server.wait_sessions(0)


def test_the_reason_is_in_the_cdn(lnsd, scripted):
    """Result code, words, and the PPP disconnect cause (RFC 3145)."""
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    lac.call(5)
    session = server.wait_sessions(1)[0]
    server.ctl("disconnect", "session", str(session["id"]))
    cdn = lac.expect(CDN)
    assert cdn.result() == (3, 0)
    assert cdn.text() == "disconnected by the operator"
    code, protocol, direction = struct.unpack("!HHB", cdn.avps[DISCONNECT_CAUSE][:5])
    assert (code, protocol, direction) == (1, 0, 0)
    assert cdn.avps[DISCONNECT_CAUSE][5:] == b"disconnected by the operator"
    lac.stop()
    server.wait_sessions(0)


def test_the_lac_is_asked_for_speeds(lnsd, scripted):
    """Connect speed updates (RFC 5515): of calls whose LAC said that it tells them, asked for and unasked."""
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    lac.icrq(5, avp(script.SPEED_UPDATE_ENABLE, b"", mandatory=False))
    peer = lac.expect(script.ICRP).u16(SESSION_ID)
    lac.send(
        script.ICCN, avp(script.TX_SPEED, u32(64000)), avp(script.FRAMING_TYPE, u32(1)), session_id=peer
    )
    tunnel, session = tunnel_of(server), server.wait_sessions(1)[0]["id"]

    def speeds():
        call = server.json("show", "session", str(session))["call"]
        return call["tx_connect_speed"], call["rx_connect_speed"]

    wait_for(lambda: speeds() == (64000, 64000), "the ICCN", context=server.log)
    assert server.json("refresh", "tunnel", str(tunnel["id"])) == {"asked": 1}
    question = lac.expect(script.CSURQ)
    assert question.session_id == 0
    assert question.avps[script.SPEED_UPDATE] == struct.pack("!HHII", 0, 5, 0, 0)
    lac.send(script.CSUN, avp(script.SPEED_UPDATE, struct.pack("!HHII", 0, peer, 9000, 3000), mandatory=False))
    wait_for(lambda: speeds() == (9000, 3000), "the new speeds", context=server.log)
    lac.stop()
    server.wait_sessions(0)


def test_an_idle_tunnel(lnsd, scripted):
    server = lnsd(config(lac='idle = "1s"')).start()
    lac = scripted()
    lac.open()
    assert lac.expect(script.STOPCCN).result()[0] == 1
    no_tunnels(server, lac)


# --- operators ---------------------------------------------------------------------------------------


class Ctl:
    """lnsctl that goes on; its items are in a file of their own."""

    def __init__(self, server, *words, name="ctl"):
        self.path = server.path(f"{name}.out")
        self.process = server.namespace.start(
            *("sh", "-c", 'out="$1"; shift; exec "$@" > "$out"', "sh", self.path),
            *(f"{BUILD}/lnsctl", "--socket", f"{server.run_dir}/control.sock", *words),
            log=server.path(f"{name}.log"),
        )

    def lines(self):
        try:
            with open(self.path, encoding="ascii") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def context(self):
        return "\n".join(self.lines()) + "\n" + self.process.output()

    def wait_line(self, pattern):
        return wait_for(
            lambda: [line for line in self.lines() if re.search(pattern, line)],
            f"{pattern!r} from lnsctl",
            context=self.context,
        )

    def stop(self):
        self.process.stop(signal.SIGKILL)


def followed(server, *words, name="ctl"):
    """A trace or capture that has begun."""
    ctl = Ctl(server, *words, name=name)
    ctl.process.wait_output("from now on")
    return ctl


def test_trace(lnsd, scripted):
    server = lnsd(config()).start()
    by_lac = followed(server, "trace", "lac", "wholesale", name="by-lac")
    lac = scripted()
    lac.open()
    tunnel = tunnel_of(server)
    by_tunnel = followed(server, "trace", "tunnel", str(tunnel["id"]), name="by-tunnel")
    lac.call(5)
    session = server.wait_sessions(1)[0]
    by_session = followed(server, "trace", "session", str(session["id"]), name="by-session")
    lac.send(script.HELLO)
    by_tunnel.wait_line(r"<- tunnel \d+ session 0 Ns \d+ Nr \d+ HELLO")
    lac.send(CDN, avp(RESULT, u16(3)), avp(SESSION_ID, u16(5)), session_id=session["session"])
    assert by_session.process.wait_end() == 0
    assert len(by_session.lines()) == 1 and "CDN, Result Code: 3" in by_session.lines()[0]

    by_lac.wait_line(r"<- .* SCCRQ, .*Host Name: \"lac1\"")
    by_lac.wait_line(r"-> .* SCCRP, ")
    icrq = by_tunnel.wait_line(r"<- .* ICRQ, .*Assigned Session ID: 5")
    assert not any("SCCRQ" in line for line in by_tunnel.lines()) and icrq
    by_tunnel.wait_line(r"-> .* ICRP, ")
    for trace in (by_lac, by_tunnel):
        for line in trace.lines():
            assert re.match(r"\d\d:\d\d:\d\d\.\d{6} (<-|->) tunnel ", line), line
    response = by_lac.wait_line("SCCCN, Challenge Response")[0]
    assert "(16 octets)" in response
    by_lac.stop()
    by_tunnel.stop()
    lac.stop()
    server.wait_sessions(0)


def test_what_cannot_be_traced(lnsd):
    server = lnsd(config()).start()
    for words, why in [
        (("trace", "tunnel", "4711"), "no such tunnel"),
        (("trace", "session", "4711"), "no such session"),
        (("trace", "lac", "retail"), "no such lac section"),
        (("call", "--tunnel", "4711", "800"), "no such tunnel"),
        (("call", "--lac", "wholesale", "800"), "to which address?"),
        (("call", "--lac", "wholesale", "--address", "192.0.2.99", "800"), "not the address of a peer"),
        (("call", "--lac", "wholesale", "--address", LAC, "8 0 0"), "a number has"),
    ]:
        ctl = Ctl(server, *words)
        assert ctl.process.wait_end() == 1
        assert why in ctl.process.output()


def records(path):
    """The packets of a capture, checked: [(source, destination, source port, UDP payload)]."""
    with open(path, "rb") as file:
        octets = file.read()
    assert struct.unpack("=IHHIIII", octets[:24]) == (0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    at, found = 24, []
    while at < len(octets):
        _, _, length, original = struct.unpack("=IIII", octets[at : at + 16])
        assert length == original
        packet = octets[at + 16 : at + 16 + length]
        assert packet[0] == 0x45 and packet[9] == 17
        assert checksum(packet[:20]) == 0
        pseudo = packet[12:20] + b"\0\x11" + packet[24:26]
        assert checksum(pseudo + packet[20:]) == 0
        source, destination = (socket.inet_ntoa(packet[n : n + 4]) for n in (12, 16))
        found.append((source, destination, struct.unpack("!H", packet[20:22])[0], packet[28:]))
        at += 16 + length
    return found


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_capture(lnsd, scripted):
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    tunnel = tunnel_of(server)
    capture = followed(server, "capture", "tunnel", str(tunnel["id"]), name="capture")
    lac.icrq(5)
    icrq = lac.last
    icrp = lac.expect(script.ICRP)

    def messages():  # and no acknowledgements: one may come before the ICRP
        return [packet for packet in records(capture.path) if len(packet[3]) > 12]

    packets = wait_for(lambda: len(found := messages()) > 1 and found, "packets in the capture")
    assert packets[0] == (LAC, LNS, 1701, icrq)
    assert packets[1][:3] == (LNS, LAC, 1701)
    assert packets[1][3][18:20] == u16(icrp.kind)
    capture.stop()
    lac.stop()
    server.wait_sessions(0)


def answer_call(lac, number):
    """OCRQ, OCRP, OCCN; returns the session id of the LNS."""
    ocrq = lac.expect(script.OCRQ)
    assert ocrq.avps[script.CALLED_NUMBER] == number
    assert (ocrq.u32(script.MINIMUM_BPS), ocrq.u32(script.MAXIMUM_BPS)) == (64000, 128000)
    peer = ocrq.u16(SESSION_ID)
    lac.send(script.OCRP, avp(SESSION_ID, u16(9)), session_id=peer)
    lac.send(
        script.OCCN, avp(script.TX_SPEED, u32(64000)), avp(script.FRAMING_TYPE, u32(1)), session_id=peer
    )
    return peer


SPEEDS = ("--minimum-bps", "64000", "--maximum-bps", "128000")


def test_outgoing_call(lnsd, scripted):
    """Through a tunnel that the LAC has opened; PPP begins."""
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    tunnel = tunnel_of(server)
    ctl = Ctl(server, "call", "--tunnel", str(tunnel["id"]), *SPEEDS, "800")
    peer = answer_call(lac, b"800")
    assert ctl.process.wait_end() == 0, ctl.context()
    assert ctl.lines() == [
        f"{state}: tunnel {tunnel['id']}, session {peer}" for state in ("placed", "dialing", "connected")
    ]
    wait_for(lambda: lac.receive(0.1) or lac.data, "a PPP frame", context=server.log)
    session = server.wait_sessions(1)[0]
    assert session["session"] == peer
    lac.stop()
    server.wait_sessions(0)


def test_outgoing_call_that_nobody_takes(lnsd, scripted):
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    tunnel = tunnel_of(server)
    ctl = Ctl(server, "call", "--tunnel", str(tunnel["id"]), "800")
    ocrq = lac.expect(script.OCRQ)
    lac.send(CDN, avp(RESULT, u16(8)), avp(SESSION_ID, u16(9)), session_id=ocrq.u16(SESSION_ID))
    assert ctl.process.wait_end() == 1
    assert "result 8 (busy)" in ctl.process.output()
    assert server.sessions() == []
    lac.stop()


def test_outgoing_call_opens_a_tunnel(lnsd, scripted):
    server = lnsd(config()).start()
    lac = scripted()
    ctl = Ctl(server, "call", "--lac", "wholesale", "--address", LAC, *SPEEDS, "801")
    sccrq = lac.expect(script.SCCRQ, acknowledge=False)
    lac.peer_id = sccrq.u16(script.TUNNEL_ID)
    lac.challenge = bytes(range(16))
    lac.send(
        script.SCCRP,
        avp(script.VERSION, u16(0x0100)),
        avp(script.FRAMING_CAPABILITIES, u32(3)),
        avp(script.BEARER_CAPABILITIES, u32(3)),
        avp(script.HOST_NAME, b"lac1"),
        avp(script.TUNNEL_ID, u16(lac.tunnel_id)),
        avp(script.CHALLENGE, lac.challenge),
        avp(script.RESPONSE, lac.response(script.SCCRP, sccrq.avps[script.CHALLENGE])),
    )
    scccn = lac.expect(script.SCCCN)
    assert scccn.avps[script.RESPONSE] == lac.response(script.SCCCN, lac.challenge)
    answer_call(lac, b"801")
    assert ctl.process.wait_end() == 0, ctl.context()
    wait_for(lambda: lac.receive(0.1) or lac.data, "a PPP frame", context=server.log)
    server.wait_sessions(1)
    lac.stop()
    server.wait_sessions(0)


def test_ocrq_of_a_lac(lnsd, scripted):
    server = lnsd(config()).start()
    lac = scripted()
    lac.open()
    lac.send(
        script.OCRQ,
        *(avp(SESSION_ID, u16(5)), avp(script.SERIAL, u32(1))),
        *(avp(script.MINIMUM_BPS, u32(1)), avp(script.MAXIMUM_BPS, u32(9))),
        *(avp(18, u32(1)), avp(script.FRAMING_TYPE, u32(1)), avp(script.CALLED_NUMBER, b"800")),
    )
    cdn = lac.expect(CDN)
    assert (cdn.session_id, cdn.result()[0]) == (5, 5)
    tunnel_of(server)
    lac.stop()

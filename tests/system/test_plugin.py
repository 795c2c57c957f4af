# SPDX-License-Identifier: BSD-2-Clause
"""pppd with lns.so against a real kernel, without the rest of lnsd.

plugin_harness (tests/system/plugin_harness.c) plays monitor, engine and access concentrator in two
network namespaces; clients are Debian's pppd with its own pppol2tp plugin, or PPP spoken here by
hand where a test must see every frame. Runs as root on a kernel with l2tp_ppp.

PLUGIN_BUILD names the directory with lns.so and plugin_harness; PLUGIN_PPPD the pppd to test (the
client's stays the system's).
"""

import hashlib
import json
import os
import queue
import re
import struct
import subprocess
import threading
import time

import pytest

from lab.wait import DEADLINE, wait_for

BUILD = os.environ.get("PLUGIN_BUILD", "build")
PPPD = os.environ.get("PLUGIN_PPPD", "/usr/sbin/pppd")
CLIENT_PPPD = "/usr/sbin/pppd"

LNS, LAC = "plugin-lns", "plugin-lac"
PAP, CHAP, MSCHAP_V2 = 1, 2, 3
IPV4, IPV6 = 1, 2
FLAG_IPV4, FLAG_IPV6, FLAG_PEER_CHOOSES, FLAG_MPPE, FLAG_MPPE_REQUIRED, FLAG_ID = 1, 2, 4, 8, 16, 32
END_PEER, END_LCP_FAILED, END_AUTH_FAILED, END_AUTH_TIMEOUT = 1, 2, 3, 4
END_ECHO_TIMEOUT, END_NCP_FAILED, END_SIGNAL = 5, 6, 7


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def in_netns(name, *words):
    return run("ip", "netns", "exec", name, *words)


class Harness:
    """The helper program: commands go in, events come out and are kept in order."""

    def __init__(self):
        self.process = subprocess.Popen(
            [f"{BUILD}/plugin_harness", LNS, LAC, PPPD, os.path.abspath(f"{BUILD}/lns.so"), CLIENT_PPPD],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = []
        self.queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.wait("ready")

    def _read(self):
        for line in self.process.stdout:
            self.queue.put(json.loads(line))
        self.queue.put(None)

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def wait(self, kind, session=None, **values):
        """The next event of a kind, taken out; whatever else arrives meanwhile stays for later."""
        wanted = dict(values, event=kind)
        if session is not None:
            wanted["session"] = session
        deadline = time.monotonic() + DEADLINE
        seen = 0
        while True:
            for index in range(seen, len(self.events)):
                if all(self.events[index].get(key) == value for key, value in wanted.items()):
                    return self.events.pop(index)
            seen = len(self.events)
            try:
                event = self.queue.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                have = [event for event in self.events if session in (None, event.get("session"))]
                raise AssertionError(f"no {wanted} within {DEADLINE} s; have {have}") from None
            assert event is not None, f"the helper ended; waited for {wanted}, have {self.events}"
            self.events.append(event)

    def drain(self):
        while not self.queue.empty():
            self.events.append(self.queue.get())
        return self.events

    def start(self, session, *client, fork=()):
        """A session with a pppd client, both sides started."""
        self.tell("open", session)
        self.tell("fork", session, *fork)
        self.tell("client", session, *client)

    def end(self):
        self.tell("quit")
        return self.process.wait(timeout=DEADLINE)


def interfaces(netns):
    return re.findall(r"\d+: (ppp\d+)", in_netns(netns, "ip", "-o", "link"))


def pppds():
    return run("sh", "-c", "ps -eo pid,ppid,stat,comm | grep -E 'pppd|l2tp1-' || true")


@pytest.fixture
def lns():
    for name in (LNS, LAC):
        run("ip", "netns", "add", name)
        in_netns(name, "ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "pl0", "netns", LNS, "type", "veth", "peer", "name", "pl0", "netns", LAC)
    for name, address in ((LNS, "10.9.0.1/24"), (LAC, "10.9.0.2/24")):
        in_netns(name, "ip", "addr", "add", address, "dev", "pl0")
        in_netns(name, "ip", "link", "set", "pl0", "up")
    harness = Harness()
    yield harness
    # Nothing may be left behind: no interface, no process, no zombie.
    harness.end()
    try:
        wait_for(lambda: not interfaces(LNS), "interfaces to go")
        wait_for(lambda: "l2tp1-" not in pppds() and "pppd" not in pppds(), "pppds to end")
    finally:
        for name in (LNS, LAC):
            run("ip", "netns", "del", name)


LCP, PAP_PROTOCOL, CHAP_PROTOCOL, EAP, IPCP, IPV6CP = 0xC021, 0xC023, 0xC223, 0xC227, 0x8021, 0x8057
CCP = 0x80FD
REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED = 1, 2, 3, 4, 5, 6
PROTOCOL_REJECT, ECHO_REQUEST, ECHO_REPLY = 8, 9, 10


class ScriptedClient:
    """PPP by hand on a session's LAC end: one frame out, one frame in."""

    def __init__(self, lns, session):
        self.lns, self.session, self.kept = lns, session, []
        lns.tell("watch", session)

    def send(self, protocol, code, ident, data=b""):
        packet = struct.pack("!HBBH", protocol, code, ident, len(data) + 4) + data
        self.lns.tell("send", self.session, packet.hex())

    @staticmethod
    def parse(event):
        frame = bytes.fromhex(event["data"])
        if frame[:2] == b"\xff\x03":
            frame = frame[2:]
        protocol, code, ident, length = struct.unpack("!HBBH", frame[:6])
        return protocol, code, ident, frame[6:length + 2]

    def receive(self):
        return self.parse(self.lns.wait("frame", self.session))

    def expect(self, protocol, code):
        """The next packet of that kind (id and data); others on the way are kept for later."""
        for index, got in enumerate(self.kept):
            if got[:2] == (protocol, code):
                return self.kept.pop(index)[2:]
        while True:
            got = self.receive()
            if got[:2] == (protocol, code):
                return got[2:]
            self.kept.append(got)

    def has(self, protocol, code):
        """Whether a packet of that kind has come by now."""
        frames = [event for event in self.lns.drain() if (event["event"], event.get("session")) == ("frame", self.session)]
        for event in frames:
            self.lns.events.remove(event)
            self.kept.append(self.parse(event))
        return any(got[:2] == (protocol, code) for got in self.kept)

    def restart(self, protocol, ident, options):
        """Asks until pppd asks, too. It passes over what comes before its restart timer (3 s) has run out."""
        def asked():
            self.send(protocol, REQUEST, ident, options)
            return self.has(protocol, REQUEST)

        wait_for(asked, "pppd to begin the protocol once more")

    def open_lcp(self):
        ident, options = self.expect(LCP, REQUEST)
        self.send(LCP, ACK, ident, options)
        self.send(LCP, REQUEST, 1, bytes.fromhex("0506") + os.urandom(4))
        self.expect(LCP, ACK)
        return options

    def answer_chap(self, password=b"secret"):
        ident, data = self.expect(CHAP_PROTOCOL, 1)
        challenge = data[1:1 + data[0]]
        response = hashlib.md5(bytes([ident]) + password + challenge).digest()
        self.send(CHAP_PROTOCOL, 2, ident, b"\x10" + response + b"alice")
        return challenge

    def open_ipcp(self):
        ident, options = self.expect(IPCP, REQUEST)
        self.send(IPCP, ACK, ident, options)
        self.send(IPCP, REQUEST, 1, bytes.fromhex("030600000000"))
        _, wanted = self.expect(IPCP, NAK)
        self.send(IPCP, REQUEST, 2, wanted)
        self.expect(IPCP, ACK)
        return wanted


CREDENTIALS = ("user", "alice", "password", "secret")


@pytest.mark.parametrize("auth,protocol", [("c", CHAP), ("m", MSCHAP_V2), ("p", PAP), ("cmp", CHAP)])
def test_session(lns, auth, protocol):
    lns.tell("template", f"auth={auth}")
    lns.start(1, *CREDENTIALS, "usepeerdns")
    forked = lns.wait("forked", 1, error=0)
    assert lns.wait("report", 1)["pid"] == forked["pid"]
    asked = lns.wait("auth", 1)
    assert asked["protocol"] == protocol and asked["good"] and not asked["proxied"]
    assert bytes.fromhex(asked["name"]) == b"alice"
    up = lns.wait("ncp-up", 1, family=IPV4)
    assert up["local"] == "10.10.0.1" and up["remote"] == "10.11.0.1" and up["mtu"] == 1460
    assert up["rx"] > 0 and up["tx"] > 0
    assert interfaces(LNS) == [up["ifname"]]
    wait_for(lambda: "10.11.0.1" in in_netns(LAC, "ip", "-4", "addr"), "the client's address")
    in_netns(LAC, "ping", "-c2", "-i0.2", "-W2", "10.10.0.1")
    status = open(f"/proc/{forked['pid']}/status", encoding="ascii").read()
    assert re.search(r"CapEff:\s+0000000000001000", status)
    assert re.search(r"NoNewPrivs:\s+1", status)
    assert re.search(r"Name:\s+l2tp1-1\n", status)
    lns.tell("signal", 1, 15)
    assert lns.wait("link-down", 1)["end"] == END_SIGNAL
    assert lns.wait("exit", 1)["status"] == 5
    assert [e for e in lns.drain() if e["event"] == "link-up"][0]["proxied"] == 0


@pytest.mark.parametrize("auth", ["c", "m", "p"])
def test_wrong_password(lns, auth):
    lns.tell("template", f"auth={auth}")
    lns.start(1, "user", "alice", "password", "wrong")
    assert not lns.wait("auth", 1)["good"]
    assert lns.wait("link-down", 1)["end"] == END_AUTH_FAILED
    assert lns.wait("exit", 1)["status"] == 11
    assert lns.wait("client-exit", 1)["status"] == 19


def test_mschap_failure_is_understood(lns):
    """The text of a failure has the fields of RFC 2759, whatever the engine had to say."""
    lns.tell("template", "auth=m")
    lns.tell("answers", "reject")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    ident, data = client.expect(CHAP_PROTOCOL, 1)
    assert data[0] == 16
    client.send(CHAP_PROTOCOL, 2, ident, b"\x31" + bytes(49) + b"alice")
    _, text = client.expect(CHAP_PROTOCOL, 4)
    assert re.fullmatch(rb"E=691 R=0 C=[0-9A-F]{32} V=3 M=Go away", text)


def test_octets_of_name_and_password_arrive(lns):
    lns.tell("template", "auth=p")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    name = bytes([0, 1, 34, 92, 127, 128, 200, 255]) + "ü".encode()
    client.send(PAP_PROTOCOL, 1, 7, bytes([len(name)]) + name + b"\x03\x80\x00\xff")
    assert bytes.fromhex(lns.wait("auth", 1)["name"]) == name
    ident, data = client.expect(PAP_PROTOCOL, 3)
    assert ident == 7 and data == b"\x07Go away"


def test_unusual_responses_are_refused(lns):
    """A CHAP response of a length that MD5 does not have never reaches the engine."""
    lns.tell("template", "auth=c")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    ident, _ = client.expect(CHAP_PROTOCOL, 1)
    client.send(CHAP_PROTOCOL, 2, ident, b"\x0f" + bytes(15) + b"alice")
    client.expect(CHAP_PROTOCOL, 4)
    lns.wait("link-down", 1)
    assert not [e for e in lns.drain() if e["event"] == "auth"]


@pytest.mark.parametrize("preload", [1, 0])
def test_first_frames_are_not_lost(lns, preload):
    """
    A Configure-Request sent before there is a pppd is answered; this client never repeats it. Not even a
    pppd without the preloaded ioctl() loses it.
    """
    lns.tell("template", "auth=c", f"preload={preload}")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    magic = bytes.fromhex("0506") + os.urandom(4)
    client.send(LCP, REQUEST, 9, magic)
    lns.tell("fork", 1)
    assert client.expect(LCP, ACK) == (9, magic)
    ident, options = client.expect(LCP, REQUEST)
    client.send(LCP, ACK, ident, options)
    assert lns.wait("link-up", 1)["replayed"] == 1


@pytest.mark.parametrize("count", [200, pytest.param(10000, marks=pytest.mark.heavy)])
def test_challenges_differ(lns, count):
    """Copies of one template share nothing random: challenges and magic numbers are all different."""
    lns.tell("template", "auth=c")
    challenges, magics = set(), set()
    # In waves: a pppd that waits too long for its client's turn gives up.
    for first in range(1, count, 20):
        wave = range(first, first + 20)
        clients = []
        for session in wave:
            lns.tell("open", session)
            clients.append(ScriptedClient(lns, session))
            lns.tell("fork", session)
        for client in clients:
            options = client.open_lcp()
            magics.add(options[options.index(b"\x05\x06") + 2:][:4])
            challenges.add(client.answer_chap())
        for session in wave:
            lns.tell("signal", session, 9)
        for session in wave:
            lns.wait("exit", session)
            lns.tell("close", session)
        lns.events.clear()
    assert len(challenges) == count and len(magics) == count


@pytest.mark.parametrize("flags,client", [
    (FLAG_IPV4 | FLAG_MPPE | FLAG_MPPE_REQUIRED, ("require-mppe-128",)),
    (FLAG_IPV4 | FLAG_MPPE, ("require-mppe-128",)),
])
def test_encryption(lns, tmp_path, flags, client):
    lns.tell("template", "auth=m")
    lns.tell("flags", flags)
    lns.start(1, *CREDENTIALS, "ccp", *client)
    lns.wait("ncp-up", 1)
    # Encrypted means: no IP header of the ping in the tunnel's UDP.
    wait_for(lambda: "10.11.0.1" in in_netns(LAC, "ip", "-4", "addr"), "the client's address")
    capture = subprocess.Popen(["ip", "netns", "exec", LAC, "tcpdump", "-i", "pl0", "-w",
                                f"{tmp_path}/pcap", "-Z", "root", "-U", "--immediate-mode", "udp"], stderr=subprocess.PIPE, text=True)
    capture.stderr.readline()
    in_netns(LAC, "ping", "-c3", "-i0.2", "-W2", "-p", "feedc0de", "10.10.0.1")
    capture.terminate()
    capture.wait()
    data = (tmp_path / "pcap").read_bytes()
    assert len(data) > 500 and bytes.fromhex("feedc0de") not in data


def test_encryption_allowed_is_not_demanded(lns):
    lns.tell("template", "auth=m")
    lns.tell("flags", FLAG_IPV4 | FLAG_MPPE)
    lns.start(1, *CREDENTIALS)
    lns.wait("ncp-up", 1)


def test_encryption_demanded_ends_a_client_without(lns):
    lns.tell("template", "auth=m")
    lns.tell("flags", FLAG_IPV4 | FLAG_MPPE | FLAG_MPPE_REQUIRED)
    lns.start(1, *CREDENTIALS)
    lns.wait("link-down", 1)
    assert not [e for e in lns.drain() if e["event"] == "ncp-up"]


def test_ipv6(lns):
    lns.tell("template", "auth=c", "ipv6=1")
    lns.tell("flags", FLAG_IPV4 | FLAG_IPV6 | FLAG_ID)
    lns.start(1, *CREDENTIALS, "+ipv6", "ipv6cp-accept-local")
    lns.wait("ncp-up", 1, family=IPV4)
    up = lns.wait("ncp-up", 1, family=IPV6)
    assert up["remote_id"] == "0200000000000042"
    in_netns(LNS, "ping", "-6", "-c2", "-i0.2", "-W2", f"fe80::200:0:0:42%{up['ifname']}")


def test_one_family_does_not_end_the_other(lns):
    lns.tell("template", "auth=c", "ipv6=1")
    lns.tell("flags", FLAG_IPV4 | FLAG_IPV6)
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    client.answer_chap()
    client.open_ipcp()
    lns.wait("ncp-up", 1, family=IPV4)
    for ident in (1, 2, 3, 4):
        client.restart(IPV6CP, ident, bytes.fromhex("010a") + os.urandom(8))
        client.send(IPV6CP, ACK, *client.expect(IPV6CP, REQUEST))
        client.expect(IPV6CP, ACK)
        lns.wait("ncp-up", 1, family=IPV6)
        client.send(LCP, 9, 70 + ident, bytes(4))
        assert client.expect(LCP, 10)[0] == 70 + ident
        assert not [e for e in lns.drain() if e["event"] in ("link-down", "exit")]
        client.send(IPV6CP, TERMINATE, ident + 10)
        client.expect(IPV6CP, TERMINATED)
    client.send(IPCP, TERMINATE, 9)
    client.expect(LCP, TERMINATE)
    assert lns.wait("link-down", 1)["end"] == END_NCP_FAILED


@pytest.mark.parametrize("refused,other", [(IPV6CP, IPV4), (IPCP, IPV6)])
def test_a_family_that_the_client_does_not_speak(lns, refused, other):
    """A Protocol-Reject for one leaves the other; without both the link ends."""
    lns.tell("template", "auth=c", "ipv6=1")
    lns.tell("flags", FLAG_IPV4 | FLAG_IPV6)
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    client.answer_chap()
    ident, data = client.expect(refused, REQUEST)
    client.send(LCP, PROTOCOL_REJECT, 5, struct.pack("!HBBH", refused, REQUEST, ident, len(data) + 4) + data)
    if other == IPV4:
        client.open_ipcp()
    else:
        client.send(IPV6CP, ACK, *client.expect(IPV6CP, REQUEST))
        client.send(IPV6CP, REQUEST, 1, bytes.fromhex("010a") + os.urandom(8))
        client.expect(IPV6CP, ACK)
    lns.wait("ncp-up", 1, family=other)
    client.send(LCP, ECHO_REQUEST, 77, bytes(4))
    assert client.expect(LCP, ECHO_REPLY)[0] == 77
    assert not [e for e in lns.drain() if e["event"] in ("link-down", "exit")]
    packet = struct.pack("!HBBH", IPCP if other == IPV4 else IPV6CP, REQUEST, 1, 4)
    client.send(LCP, PROTOCOL_REJECT, 6, packet)
    client.expect(LCP, TERMINATE)
    assert lns.wait("link-down", 1)["end"] == END_NCP_FAILED


def test_addresses(lns):
    """Nak for the client's own idea of addresses, name and WINS servers; Ack for ours."""
    lns.tell("template", "auth=c")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    client.answer_chap()
    client.send(IPCP, ACK, *client.expect(IPCP, REQUEST))
    asked = "0306c0a80101 810600000000 830600000000 820600000000 840600000000"
    client.send(IPCP, REQUEST, 1, bytes.fromhex(asked))
    _, wanted = client.expect(IPCP, NAK)
    assert wanted == bytes.fromhex("03060a0b0001 8106c0000235 8306c0000236 8206c0000237 8406c0000238")
    client.send(IPCP, REQUEST, 2, wanted)
    assert client.expect(IPCP, ACK) == (2, wanted)
    assert lns.wait("ncp-up", 1)["remote"] == "10.11.0.1"


def test_no_compression_without_keys(lns):
    """CCP is there for MPPE alone: whoever wants to compress is told that the protocol is not spoken."""
    lns.tell("template", "auth=c")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    client.answer_chap()
    client.open_ipcp()
    client.send(CCP, REQUEST, 1, bytes.fromhex("1a047800"))  # Deflate
    _, rejected = client.expect(LCP, PROTOCOL_REJECT)
    assert rejected[:2] == CCP.to_bytes(2, "big")
    assert not [got for got in client.kept if got[0] == CCP]


def test_echoes(lns):
    """A client that answers stays; one that falls silent has gone after as many echoes as configured."""
    lns.tell("template", "auth=c", "echo=1")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    client.answer_chap()
    client.open_ipcp()
    for _ in range(6):
        client.send(LCP, ECHO_REPLY, client.expect(LCP, ECHO_REQUEST)[0], bytes(4))
    for _ in range(3):
        client.expect(LCP, ECHO_REQUEST)
    assert lns.wait("link-down", 1)["end"] == END_ECHO_TIMEOUT
    later = [bytes.fromhex(event["data"])[:5] for event in lns.drain() if event["event"] == "frame"]
    assert not [start for start in later if struct.pack("!HB", LCP, ECHO_REQUEST) in start]


@pytest.mark.parametrize("address,good", [("10.99.0.7", True), ("10.9.0.2", False), ("10.10.0.1", False)])
def test_client_that_may_choose(lns, address, good):
    """Any address but an end of the tunnel or our own."""
    lns.tell("template", "auth=c")
    lns.tell("flags", FLAG_IPV4 | FLAG_PEER_CHOOSES)
    lns.start(1, *CREDENTIALS, f"{address}:", fork=["tunnel=other"])
    if good:
        assert lns.wait("ncp-up", 1)["remote"] == address
    else:
        assert lns.wait("link-down", 1)["end"] == END_NCP_FAILED
        assert not [e for e in lns.drain() if e["event"] == "ncp-up"]


@pytest.mark.parametrize("auth,option", [("c", "0305c22305"), ("p", "0304c023")])
def test_client_that_refuses_to_authenticate(lns, auth, option):
    lns.tell("template", f"auth={auth}")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    ident, _ = client.expect(LCP, REQUEST)
    client.send(LCP, REJECT, ident, bytes.fromhex(option))
    client.send(LCP, ACK, *client.expect(LCP, REQUEST))
    client.send(LCP, REQUEST, 1, bytes.fromhex("050611223344"))
    client.expect(LCP, TERMINATE)
    client.send(LCP, TERMINATED, 1)
    assert lns.wait("link-down", 1)["status"] == 11
    assert not [e for e in lns.drain() if e["event"] in ("auth", "ncp-up")]


def test_sessions_share_no_descriptor_but_the_tunnel(lns):
    """No signal pipe in common, and nothing of the template's or another session's sockets."""
    lns.tell("template", "auth=c")
    pids = [lns.wait("template")["pid"]]
    for session in (1, 2):
        lns.start(session, *CREDENTIALS)
        pids.append(lns.wait("forked", session, error=0)["pid"])
        lns.wait("ncp-up", session)
    held = []
    for pid in pids:
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2]
        held.append({link for link in links if link.startswith(("pipe:", "socket:"))})
        assert len([link for link in held[-1] if link.startswith("pipe:")]) == 1
    # pppd's own sockets for ioctls are the template's; the tunnel's is every session's.
    inherited = held[0]
    tunnel = held[1] & held[2] - inherited
    assert len(tunnel) == 1
    assert not [link for link in held[0] & held[1] if link.startswith("pipe:")]
    assert not [link for link in held[1] & held[2] if link.startswith("pipe:")]


def test_many_sessions(lns):
    count = 50
    lns.tell("template", "auth=cmp")
    for session in range(1, count + 1):
        lns.start(session, *CREDENTIALS)
    ups = [lns.wait("ncp-up", session) for session in range(1, count + 1)]
    assert len({up["ifindex"] for up in ups}) == count
    wait_for(lambda: in_netns(LAC, "ip", "-4", "addr").count(" 10.11.0.") == count, "the clients' addresses")
    # One answer will do: a machine that is busy with fifty calls may lose a packet.
    in_netns(LNS, "ping", "-c10", "-i0.5", "-W5", "10.11.0.50")
    for session in range(1, count + 1):
        if session % 2:
            lns.tell("signal", session, 15)
        else:
            lns.tell("hangup", session)
    for session in range(1, count + 1):
        end = lns.wait("link-down", session)["end"]
        assert end == (END_SIGNAL if session % 2 else END_PEER)
        lns.wait("exit", session)


def test_killed_session_leaves_nothing(lns):
    lns.tell("template", "auth=c")
    lns.start(1, *CREDENTIALS)
    lns.wait("ncp-up", 1)
    lns.tell("signal", 1, 9)
    assert lns.wait("exit", 1)["status"] == -9
    assert lns.wait("closed", 1)["reason"] == ""
    wait_for(lambda: not interfaces(LNS), "interfaces to go")


def test_sessions_outlive_the_template(lns):
    lns.tell("template", "auth=c")
    lns.start(1, *CREDENTIALS)
    lns.wait("ncp-up", 1)
    lns.tell("drop-template")
    assert lns.wait("template-exit")["status"] == 0
    wait_for(lambda: "10.11.0.1" in in_netns(LAC, "ip", "-4", "addr"), "the client's address")
    in_netns(LAC, "ping", "-c1", "-W2", "10.10.0.1")
    lns.tell("template", "auth=p")
    lns.start(2, *CREDENTIALS)
    assert lns.wait("auth", 2)["protocol"] == PAP
    lns.wait("ncp-up", 2)


def test_malformed_request_ends_the_template(lns):
    lns.tell("template", "auth=c")
    lns.tell("malformed")
    assert lns.wait("template-exit")["status"] == 1
    lns.wait("template-gone")


def test_exec_mode(lns):
    """Without the fork server, the template itself becomes the session."""
    lns.tell("template", "auth=c", "exec=1")
    pid = lns.wait("template")["pid"]
    lns.start(1, *CREDENTIALS)
    assert lns.wait("forked", 1, error=0)["pid"] == pid
    lns.wait("ncp-up", 1)
    lns.tell("signal", 1, 15)
    assert lns.wait("link-down", 1)["end"] == END_SIGNAL
    assert lns.wait("exit", 1)["status"] == 5


def test_engine_is_replaced_while_a_question_is_open(lns):
    lns.tell("template", "auth=c")
    lns.tell("answers", "silent")
    lns.start(1, *CREDENTIALS)
    first = lns.wait("auth", 1)
    lns.tell("engine-down")
    lns.wait("engine-down")
    lns.tell("answers", "normal")
    lns.tell("engine-up")
    again = lns.wait("auth", 1)
    assert again == first
    lns.wait("ncp-up", 1)


def test_session_survives_without_an_engine(lns):
    lns.tell("template", "auth=c")
    lns.start(1, *CREDENTIALS)
    lns.wait("ncp-up", 1)
    lns.tell("engine-down")
    lns.wait("engine-down")
    in_netns(LNS, "ping", "-c2", "-W2", "10.11.0.1")
    lns.tell("engine-up")
    lns.tell("signal", 1, 15)
    assert lns.wait("link-down", 1)["end"] == END_SIGNAL


def test_abandoned_session_ends_when_it_needs_an_answer(lns):
    lns.tell("template", "auth=c")
    lns.tell("answers", "silent")
    lns.start(1, *CREDENTIALS)
    lns.wait("auth", 1)
    lns.tell("abandon", 1)
    assert lns.wait("exit", 1)["status"] == 11


def test_no_answer_fails_in_bounded_time(lns):
    lns.tell("template", "auth=p")
    lns.tell("answers", "silent")
    lns.start(1, *CREDENTIALS)
    lns.wait("auth", 1)
    begun = time.monotonic()
    assert lns.wait("link-down", 1)["end"] == END_AUTH_TIMEOUT
    assert time.monotonic() - begun > 25


def test_signal_interrupts_the_wait_for_an_answer(lns):
    lns.tell("template", "auth=p")
    lns.tell("answers", "silent")
    lns.start(1, *CREDENTIALS)
    lns.wait("auth", 1)
    lns.tell("signal", 1, 15)
    lns.wait("exit", 1)


class ProxiedCall:
    """A call whose LAC did LCP and took the response; the client has nothing left to do but IPCP."""

    ident = 0x55
    challenge = bytes(range(16))
    sent = bytes.fromhex("010405b4" "0305c22305" "05061a2b3c4d")
    received = bytes.fromhex("010405dc" "0506deadbeef")

    @classmethod
    def words(cls, password=b"secret", lcp="accept", **changes):
        response = hashlib.md5(bytes([cls.ident]) + password + cls.challenge).digest()
        fields = dict(lcp=lcp, type=2, id=cls.ident, sent=cls.sent.hex(), received=cls.received.hex(),
                      name=b"alice".hex(), challenge=cls.challenge.hex(), response=response.hex())
        fields.update(changes)
        return [f"{key}={value}" for key, value in fields.items()]


def proxied(lns, auth="c", **changes):
    lns.tell("template", f"auth={auth}")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1, *ProxiedCall.words(**changes))
    return client


def test_proxied_chap(lns):
    """Online without one LCP packet; the Success carries the LAC's id."""
    client = proxied(lns)
    assert client.receive()[:3] == (CHAP_PROTOCOL, 3, ProxiedCall.ident)
    asked = lns.wait("auth", 1)
    assert asked["proxied"] == 1 and asked["good"] and asked["protocol"] == CHAP
    assert lns.wait("link-up", 1)["proxied"] == 1
    assert client.receive()[:2] == (IPCP, REQUEST)
    # The client lost our Success: the same response again gets the same answer.
    response = bytes.fromhex(dict(w.split("=") for w in ProxiedCall.words())["response"])
    client.send(CHAP_PROTOCOL, 2, ProxiedCall.ident, b"\x10" + response + b"alice")
    assert client.expect(CHAP_PROTOCOL, 3)[0] == ProxiedCall.ident
    # Echoes carry the magic number that the LAC negotiated.
    client.send(LCP, 9, 5, bytes.fromhex("deadbeef"))
    assert client.expect(LCP, 10) == (5, bytes.fromhex("1a2b3c4d"))
    client.send(IPCP, REQUEST, 2, bytes.fromhex("03060a0b0001"))
    client.expect(IPCP, ACK)


def test_proxied_pap(lns):
    client = proxied(lns, "p", type=3, sent="0304c023" "05061a2b3c4d", challenge="",
                     response=b"secret".hex())
    protocol, code, ident, text = client.receive()
    assert (protocol, code, ident, text) == (PAP_PROTOCOL, 2, ProxiedCall.ident, b"\x07Welcome")
    assert client.receive()[:2] == (IPCP, REQUEST)


def test_proxied_wrong_password(lns):
    client = proxied(lns, password=b"wrong")
    assert client.receive()[:3] == (CHAP_PROTOCOL, 4, ProxiedCall.ident)
    assert client.receive()[:2] == (LCP, TERMINATE)
    client.send(LCP, TERMINATED, 1)
    assert lns.wait("link-down", 1)["end"] == END_AUTH_FAILED


def test_proxied_lcp_without_response(lns):
    """The LAC only did LCP: it stays, and the client is challenged by us."""
    client = proxied(lns, type=4, response="", challenge="")
    assert client.receive()[:2] == (CHAP_PROTOCOL, 1)


@pytest.mark.parametrize("changes", [
    {"sent": "0305c22305" "1104ffff"},            # multilink, which we do not do
    {"sent": "0305c22305" "0107"},                # broken
    {"sent": "0305c22305" "05"},                  # cut off
    {"sent": "0305c22305" "0500" "1a2b3c4d"},     # an option without a length
    {"sent": "0305c22305" "0501"},                # one that is shorter than its head
    {"sent": "0304c223"},                         # CHAP without its digest
    {"sent": "0305c22399"},                       # a digest that nobody knows
    {"sent": "0304c027"},                         # a protocol that nobody knows
    {"sent": "0305c22305" "010400"},              # a value cut off
    {"sent": "0305c22305" "01040040"},            # an MRU of 64
    {"sent": "05061a2b3c4d", "type": 4, "challenge": "", "response": ""}, # nobody was asked who it is
    {"sent": "ff" * 256},
    {"received": "010405dc" "0506dead"},
    {"received": "010405dc" "0500"},
    {"received": "05061a2b3c4d"},                 # the magic number of the LAC: a loop
    {"received": "ff" * 256},
    {"received": "010405dc" "0305c22305"},        # the client wants us to authenticate
    {"auth": "p"},                                # a method the configuration does not allow
    {"received": ""},
    {"lcp": "never"},
])
def test_what_does_not_fit_is_negotiated_anew(lns, changes):
    client = proxied(lns, **changes)
    assert client.receive()[:2] == (LCP, REQUEST)
    assert not [e for e in lns.drain() if e["event"] == "link-up"]


@pytest.mark.parametrize("changes", [
    {"challenge": ""},
    {"response": "00" * 15},
    {"response": "00" * 17},
    {"response": "00" * 256},
    {"response": ""},
    {"type": 1},                                  # a text password
    {"type": 3, "name": ""},                      # PAP, of nobody
    {"type": 5},                                  # MS-CHAPv1
    {"response": "00" * 49},                      # MS-CHAPv2, which is not allowed here
])
def test_an_answer_that_cannot_be_judged_is_asked_for_again(lns, changes):
    """The LAC's LCP stays, and the client is challenged by us."""
    client = proxied(lns, **changes)
    assert client.receive()[:2] == (CHAP_PROTOCOL, 1)
    assert not [e for e in lns.drain() if e["event"] == "auth"]


def test_an_answer_to_another_challenge_is_refused(lns):
    """The digest covers the identifier, too."""
    client = proxied(lns, id=ProxiedCall.ident + 1)
    assert client.receive()[:3] == (CHAP_PROTOCOL, 4, ProxiedCall.ident + 1)
    assert not lns.wait("auth", 1)["good"]
    assert client.receive()[:2] == (LCP, TERMINATE)


def test_client_that_restarts_lcp_gets_it(lns):
    lns.tell("template", "auth=c")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    client.send(LCP, REQUEST, 3, bytes.fromhex("050611223344"))
    lns.tell("fork", 1, *ProxiedCall.words())
    assert client.receive()[:2] == (LCP, REQUEST)
    assert client.expect(LCP, ACK)[0] == 3


def test_renegotiated_lcp_with_proxied_response(lns):
    """LCP afresh, but the client is not asked for its password again."""
    client = proxied(lns, lcp="renegotiate")
    protocol, code, ident, options = client.receive()
    assert (protocol, code) == (LCP, REQUEST) and b"\x03\x05" not in options
    client.send(LCP, ACK, ident, options)
    client.send(LCP, REQUEST, 1, bytes.fromhex("050611223344"))
    client.expect(LCP, ACK)
    assert client.receive()[:2] == (IPCP, REQUEST)
    # Any later renegotiation authenticates.
    client.send(LCP, REQUEST, 2, bytes.fromhex("050611223345"))
    ident, options = client.expect(LCP, REQUEST)
    assert bytes.fromhex("0305c22305") in options
    # And nobody gets around it by refusing.
    client.send(LCP, REJECT, ident, bytes.fromhex("0305c22305"))
    client.send(LCP, ACK, *client.expect(LCP, REQUEST))
    client.expect(LCP, TERMINATE)
    client.send(LCP, TERMINATED, 1)
    assert lns.wait("link-down", 1)["status"] == 11


# EAP, as the client that says everything by hand; the test plays RADIUS.

EAP_REQUEST, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE = 1, 2, 3, 4
IDENTITY, NAK_TYPE, MD5 = b"\x01", b"\x03", b"\x04"


def eap_packet(code, ident, data=b""):
    return struct.pack("!BBH", code, ident, 4 + len(data)) + data


def eap_asked(lns, session=1):
    """What reached the engine: name, State and packet."""
    said = lns.wait("eap", session)
    return bytes.fromhex(said["name"]), bytes.fromhex(said["state"]), bytes.fromhex(said["packet"])


def challenge(lns, packet, wait=0, state=b"", session=1):
    lns.tell("challenge", session, packet.hex(), wait, state.hex() or "-")


@pytest.fixture
def eap(lns):
    """A client that was asked who it is."""
    lns.tell("template", "auth=e")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    assert b"\x03\x04\xc2\x27" in client.open_lcp()
    client.ident, data = client.expect(EAP, EAP_REQUEST)
    assert data == IDENTITY
    return client


def test_eap(lns, eap):
    """Both ways whole and unchanged, with what RADIUS wants to see again, to a session that is up."""
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice\x80")
    name, state, packet = eap_asked(lns)
    assert (name, state) == (b"alice\x80", b"")
    assert packet == eap_packet(EAP_RESPONSE, eap.ident, IDENTITY + b"alice\x80")
    long = b"\x0d" + bytes(range(256)) * 5 + bytes(215)  # 1,500 octets with the header: as many as may be
    challenge(lns, eap_packet(EAP_REQUEST, 77, long), state=b"\x00first")
    assert eap.expect(EAP, EAP_REQUEST) == (77, long)
    eap.send(EAP, EAP_RESPONSE, 77, long)
    name, state, packet = eap_asked(lns)
    assert (name, state) == (b"alice\x80", b"\x00first") and packet[4:] == long
    challenge(lns, eap_packet(EAP_REQUEST, 78, MD5 + b"x"))
    eap.expect(EAP, EAP_REQUEST)
    eap.send(EAP, EAP_RESPONSE, 78, NAK_TYPE + b"\x1a")
    name, state, packet = eap_asked(lns)
    assert (name, state) == (b"alice\x80", b"") and packet == eap_packet(EAP_RESPONSE, 78, NAK_TYPE + b"\x1a")
    lns.tell("decide", 1, 1)
    assert eap.expect(EAP, EAP_SUCCESS) == (78, b"")
    eap.open_ipcp()
    lns.wait("ncp-up", 1, family=IPV4)
    # It is over: what comes now is nobody's.
    eap.send(EAP, EAP_RESPONSE, 79, MD5 + b"again")
    eap.send(LCP, 9, 3, bytes(4))
    eap.expect(LCP, 10)
    assert not [e for e in lns.drain() if e["event"] == "eap"]
    assert not [got for got in eap.kept if got[0] == EAP]


def test_eap_success_was_lost(lns, eap):
    """A client that says its last answer again gets the Success again, before and after its network is up."""
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")
    eap_asked(lns)
    challenge(lns, eap_packet(EAP_REQUEST, 78, MD5 + b"\x01x"))
    eap.expect(EAP, EAP_REQUEST)
    eap.send(EAP, EAP_RESPONSE, 78, MD5 + b"\x01y")
    eap_asked(lns)
    lns.tell("decide", 1, 1)
    for _ in range(3):
        assert eap.expect(EAP, EAP_SUCCESS) == (78, b"")
        eap.send(EAP, EAP_RESPONSE, 78, MD5 + b"\x01y")
    eap.expect(EAP, EAP_SUCCESS)
    eap.open_ipcp()
    lns.wait("ncp-up", 1, family=IPV4)
    eap.send(EAP, EAP_RESPONSE, 78, MD5 + b"\x01y")
    assert eap.expect(EAP, EAP_SUCCESS) == (78, b"")
    # An answer to nothing that was asked, or of another conversation, is none.
    eap.send(EAP, EAP_RESPONSE, 77, MD5 + b"\x01y")
    eap.send(LCP, REQUEST, 9, bytes.fromhex("0506") + os.urandom(4))
    ident, options = eap.expect(LCP, REQUEST)
    eap.expect(LCP, ACK)
    eap.send(EAP, EAP_RESPONSE, 78, MD5 + b"\x01y")
    eap.send(LCP, ACK, ident, options)
    assert eap.expect(EAP, EAP_REQUEST)[1] == IDENTITY
    eap.send(EAP, EAP_RESPONSE, 78, MD5 + b"\x01y")
    eap.send(LCP, 9, 3, bytes(4))
    eap.expect(LCP, 10)
    assert not [got for got in eap.kept if got[0] == EAP]
    assert not [e for e in lns.drain() if e["event"] == "eap"]


@pytest.mark.parametrize("result,end", [(2, END_AUTH_FAILED), (3, END_AUTH_TIMEOUT)])
def test_eap_refused(lns, eap, result, end):
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")
    eap_asked(lns)
    lns.tell("decide", 1, result)
    assert eap.expect(EAP, EAP_FAILURE) == (eap.ident, b"")
    eap.expect(LCP, TERMINATE)
    assert lns.wait("link-down", 1)["end"] == end


def test_eap_nonsense(lns, eap):
    """Whatever does not answer the request is passed over, and what does is taken all the same."""
    wrong = (eap.ident + 1) & 255
    for packet in (
        b"", b"\x02", eap_packet(EAP_RESPONSE, eap.ident)[:3], eap_packet(EAP_RESPONSE, eap.ident),
        eap_packet(EAP_RESPONSE, wrong, IDENTITY + b"mallory"),
        eap_packet(EAP_REQUEST, eap.ident, IDENTITY),
        eap_packet(EAP_SUCCESS, eap.ident), eap_packet(EAP_FAILURE, eap.ident),
        eap_packet(0, eap.ident, IDENTITY), eap_packet(255, eap.ident, IDENTITY),
        eap_packet(EAP_RESPONSE, eap.ident, NAK_TYPE + b"\x04"),
        eap_packet(EAP_RESPONSE, eap.ident, MD5 + b"\x10" + bytes(16)),
        eap_packet(EAP_RESPONSE, eap.ident, b"\xfe"),
        struct.pack("!BBH", EAP_RESPONSE, eap.ident, 65535) + IDENTITY + b"mallory",
        struct.pack("!BBH", EAP_RESPONSE, eap.ident, 0) + IDENTITY + b"mallory",
        bytes([EAP_RESPONSE, wrong]) + os.urandom(1400),
    ):
        lns.tell("send", 1, (struct.pack("!H", EAP) + packet).hex())
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")
    assert eap_asked(lns)[0] == b"alice"
    challenge(lns, eap_packet(EAP_REQUEST, wrong, MD5 + b"\x10" + bytes(16)))
    eap.expect(EAP, EAP_REQUEST)
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")  # said before
    eap.send(EAP, EAP_RESPONSE, wrong, b"\x0d")  # not what was asked
    eap.send(EAP, EAP_RESPONSE, wrong, MD5 + b"\x10" + bytes(16))
    assert eap_asked(lns)[2][4:5] == MD5
    lns.tell("decide", 1, 2)
    eap.expect(EAP, EAP_FAILURE)
    assert lns.wait("link-down", 1)["end"] == END_AUTH_FAILED
    assert not [e for e in lns.drain() if e["event"] == "eap"]


def test_eap_is_repeated(lns, eap):
    """A request that is not answered is said again, unchanged, when RADIUS said to; not for ever."""
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")
    eap_asked(lns)
    challenge(lns, eap_packet(EAP_REQUEST, 5, MD5 + b"\x01x"), wait=1)
    for _ in range(10):
        assert eap.expect(EAP, EAP_REQUEST) == (5, MD5 + b"\x01x")
    eap.expect(EAP, EAP_FAILURE)
    assert lns.wait("link-down", 1)["end"] == END_AUTH_TIMEOUT


def test_eap_does_not_go_on_for_ever(lns, eap):
    """A server and a client that never come to an end are brought to one."""
    ident, data = eap.ident, IDENTITY + b"alice"
    for _ in range(100):
        eap.send(EAP, EAP_RESPONSE, ident, data)
        eap_asked(lns)
        ident, data = (ident + 1) & 255, MD5 + b"\x01x"
        challenge(lns, eap_packet(EAP_REQUEST, ident, data))
        assert eap.expect(EAP, EAP_REQUEST) == (ident, data)
    eap.send(EAP, EAP_RESPONSE, ident, data)
    eap_asked(lns)
    challenge(lns, eap_packet(EAP_REQUEST, ident + 1 & 255, data))
    assert eap.expect(EAP, EAP_FAILURE)[0] == ident
    assert lns.wait("link-down", 1)["end"] == END_AUTH_FAILED


def test_eap_protocol_reject(lns, eap):
    """It said yes in LCP and does not know EAP."""
    packet = struct.pack("!H", EAP) + eap_packet(EAP_REQUEST, eap.ident, IDENTITY)
    eap.send(LCP, 8, 1, packet)
    assert lns.wait("link-down", 1)["end"] == END_AUTH_TIMEOUT


def test_eap_starts_again_with_lcp(lns, eap):
    """A client that restarts LCP is asked anew; what was under way is forgotten, its State too."""
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")
    eap_asked(lns)
    challenge(lns, eap_packet(EAP_REQUEST, 5, MD5 + b"\x01x"), state=b"old")
    eap.expect(EAP, EAP_REQUEST)
    eap.send(LCP, REQUEST, 9, bytes.fromhex("0506") + os.urandom(4))
    ident, options = eap.expect(LCP, REQUEST)
    eap.expect(LCP, ACK)
    eap.send(LCP, ACK, ident, options)
    ident, data = eap.expect(EAP, EAP_REQUEST)
    assert data == IDENTITY
    eap.send(EAP, EAP_RESPONSE, ident, IDENTITY + b"bob")
    name, state, _ = eap_asked(lns)
    assert (name, state) == (b"bob", b"")
    lns.tell("decide", 1, 1)
    assert eap.expect(EAP, EAP_SUCCESS)[0] == ident


def test_eap_outlives_its_engine(lns, eap):
    """The engine is replaced while a question is open: the next one gets it again, with all it needs."""
    eap.send(EAP, EAP_RESPONSE, eap.ident, IDENTITY + b"alice")
    eap_asked(lns)
    challenge(lns, eap_packet(EAP_REQUEST, 5, MD5 + b"\x01x"), state=b"kept")
    eap.expect(EAP, EAP_REQUEST)
    lns.tell("engine-down")
    eap.send(EAP, EAP_RESPONSE, 5, MD5 + b"\x01y")
    lns.tell("engine-up")
    name, state, packet = eap_asked(lns)
    assert (name, state) == (b"alice", b"kept") and packet[4:] == MD5 + b"\x01y"
    lns.tell("decide", 1, 1)
    eap.expect(EAP, EAP_SUCCESS)
    eap.open_ipcp()
    lns.wait("ncp-up", 1, family=IPV4)


def test_eap_or_chap(lns):
    """A client that does not want EAP is offered what else the configuration has."""
    lns.tell("template", "auth=ec")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    ident, options = client.expect(LCP, REQUEST)
    assert b"\x03\x04\xc2\x27" in options
    client.send(LCP, NAK, ident, bytes.fromhex("0305c22305"))
    client.open_lcp()
    client.answer_chap()
    assert lns.wait("auth", 1)["good"]
    assert not [e for e in lns.drain() if e["event"] == "eap"]


def test_a_late_answer_to_eap_is_passed_over(lns):
    """The engine answers a repeated question twice; the client has turned to CHAP when the second one comes."""
    lns.tell("template", "auth=ec")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    client.open_lcp()
    ident, _ = client.expect(EAP, EAP_REQUEST)
    client.send(EAP, EAP_RESPONSE, ident, IDENTITY + b"alice")
    eap_asked(lns)
    for _ in range(2):
        challenge(lns, eap_packet(EAP_REQUEST, 5, MD5 + b"\x01x"))
    client.expect(EAP, EAP_REQUEST)
    client.send(LCP, REQUEST, 9, bytes.fromhex("0506") + os.urandom(4))
    ident, _ = client.expect(LCP, REQUEST)
    client.expect(LCP, ACK)
    client.send(LCP, NAK, ident, bytes.fromhex("0305c22305"))
    ident, options = client.expect(LCP, REQUEST)
    client.send(LCP, ACK, ident, options)
    client.answer_chap()
    assert lns.wait("auth", 1)["good"]
    client.open_ipcp()
    lns.wait("ncp-up", 1, family=IPV4)


def test_proxied_eap_is_not_taken(lns):
    """A LAC's LCP that agreed on EAP is negotiated again, and the client says for itself who it is."""
    lns.tell("template", "auth=e")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1, "lcp=accept", "sent=0304c2270506aabbccdd", "received=050611223344")
    client.open_lcp()
    ident, data = client.expect(EAP, EAP_REQUEST)
    assert data == IDENTITY
    assert lns.wait("link-up", 1)["proxied"] == 0


def test_we_do_not_prove_ourselves_by_eap(lns):
    """A client that wants us to authenticate is told no, and goes on without."""
    lns.tell("template", "auth=ec")
    lns.tell("open", 1)
    client = ScriptedClient(lns, 1)
    lns.tell("fork", 1)
    magic = bytes.fromhex("0506") + os.urandom(4)
    client.send(LCP, REQUEST, 1, bytes.fromhex("0304c227") + magic)
    assert client.expect(LCP, REJECT) == (1, bytes.fromhex("0304c227"))
    client.send(LCP, REQUEST, 2, magic)
    client.expect(LCP, ACK)

# SPDX-License-Identifier: BSD-2-Clause
"""Rate limits of a subscriber, in both directions: tc shows them, and packets do not pass.

At 8 kbit/s, 15,000 octets pass at once and then a packet of 1,000 octets each second: however slow the
machine is, most of 300 packets are dropped.
"""

import re
import socket

import pytest

from conftest import ALICE
from lab.lnsd import config
from lab.namespace import run
from lab.site import GATEWAY
from lab.wait import wait_for
from lab.xl2tpd import Call

PACKETS = 300
ADDRESS = "100.64.3.3"
CAROL = f"""
carol	Cleartext-Password := "slow"
	Framed-IP-Address = {ADDRESS},
	Mikrotik-Rate-Limit = "8k/8k"

dave	Cleartext-Password := "burst"
	Framed-IP-Address = 100.64.3.4,
	Cisco-AVPair = "lcp:interface-config#1=rate-limit output 2000000 300000 600000 conform-action transmit exceed-action drop",
	Cisco-AVPair += "lcp:interface-config#2=rate-limit input 1000000 200000 400000 conform-action transmit exceed-action drop",
	Cisco-AVPair += "ip:something=else"

erin	Cleartext-Password := "two"
	Framed-IP-Address = 100.64.3.5,
	WISPr-Bandwidth-Max-Down = 3000000

"""


@pytest.fixture
def users(radius):
    """FreeRADIUS knows them, too."""
    radius.stop()
    radius._write("users", CAROL + ALICE)
    radius.start()
    yield radius
    radius.stop()
    radius._write("users", ALICE)
    radius.start()


@pytest.fixture
def online(users, lnsd, lac):
    """Brings somebody online: online("carol", "slow") gives lnsd, the call and the session."""

    def make(user, password, text=None, local=None):
        server = lnsd(text or config(), local).start()
        call = Call("sub0", user, password)
        lac(call)
        call.start()
        call.wait_up()
        return server, call, wait_session(server)

    return make


def wait_session(server):
    return server.json("show", "session", str(server.wait_sessions(1)[0]["id"]))


class Shaping:
    """What tc says of an interface."""

    def __init__(self, namespace, device):
        self.words = ["tc", "-n", namespace.name, "-s"]
        self.device = device

    def down(self):
        return run(*self.words, "qdisc", "show", "dev", self.device, "root")

    def up(self):
        return run(*self.words, "filter", "show", "dev", self.device, "ingress")

    def dropped(self):
        """Packets, to and from the subscriber."""
        return tuple(int(re.search(r"dropped (\d+)", text).group(1)) for text in (self.down(), self.up()))


def send(namespace, address):
    """A burst of packets of 1,000 octets, IP header included."""
    with namespace.socket() as sender:
        for _ in range(PACKETS):
            sender.sendto(bytes(972), (address, 9))


def test_traffic_is_limited(site, online):
    server, call, session = online("carol", "slow")
    shaping = Shaping(site.lns, session["ifname"])
    assert session["limits"] == {"down": 8000, "down_peak": 0, "down_burst": 0, "up": 8000, "up_peak": 0, "up_burst": 0}
    assert "tbf 1: root" in shaping.down() and "rate 8Kbit" in shaping.down()
    assert "police" in shaping.up() and "rate 8Kbit" in shaping.up()

    send(site.lns, ADDRESS)
    send(site.lac, GATEWAY)
    wait_for(lambda: min(shaping.dropped()) > PACKETS / 2, "dropped packets", context=shaping.up)
    assert max(shaping.dropped()) < PACKETS - 10  # the burst has passed
    server.wait_sessions(1)
    call.hang_up()
    call.wait_down()
    server.wait_sessions(0)


def test_what_tc_is_told(site, online):
    server, call, session = online("dave", "burst")
    shaping = Shaping(site.lns, session["ifname"])
    assert re.search(r"tbf 1: root .* rate 2Mbit burst 300000b", shaping.down()), shaping.down()
    assert re.search(r"police .* rate 1Mbit burst 200000b", shaping.up()), shaping.up()
    assert shaping.dropped() == (0, 0)
    server.wait_log(r'user "dave".*not obeyed: Cisco-AVPair = ip:something=else')


def test_defaults_and_who_overrides_them(site, online, lac):
    """The ppp section's, unless RADIUS or the users file says otherwise, each direction by itself."""
    server, call, session = online("erin", "two", config(ppp="rate-down = 10M rate-up = 1500k"))
    assert (session["limits"]["down"], session["limits"]["up"]) == (3000000, 1500000)
    call.hang_up()
    call.wait_down()
    server.wait_sessions(0)
    server.stop()

    text = config(ppp="rate-down = 10M rate-up = 1500k", backend="", top='users = "%USERS%"')
    server, call, session = online("alice", "w", text, 'alice "w" * rate-up=0\n')
    assert (session["limits"]["down"], session["limits"]["up"]) == (10000000, 0)
    shaping = Shaping(site.lns, session["ifname"])
    assert "rate 10Mbit" in shaping.down()
    assert "police" not in shaping.up()


def test_nobody_is_limited_who_need_not_be(site, online):
    _, _, session = online("alice", "wonderland")
    shaping = Shaping(site.lns, session["ifname"])
    assert session["limits"]["down"] == session["limits"]["up"] == 0
    assert "tbf" not in shaping.down() and not shaping.up()
    assert "clsact" not in run("tc", "-n", site.lns.name, "qdisc", "show", "dev", session["ifname"])

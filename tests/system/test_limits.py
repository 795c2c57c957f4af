# SPDX-License-Identifier: BSD-2-Clause
"""Rate limits of a subscriber, in both directions: tc shows them, and packets do not pass.

At 8 kbit/s, 15,000 octets pass at once and then a packet of 1,000 octets each second: however slow the
machine is, most of 300 packets are dropped.
"""

import re
import socket

import pytest

from lab.das import das_config
from lab.lnsd import config
from lab.namespace import run
from lab.site import CORE, GATEWAY
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
def users(radius_users):
    """FreeRADIUS knows them, too."""
    return radius_users(CAROL)


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


@pytest.mark.heavy
def test_coa_changes_them(site, users, lnsd, lac, ask):
    """While traffic goes on, and back to none; what cannot be changes nothing."""
    server = lnsd(das_config()).start()
    call = Call("sub0", "carol", "slow")
    lac(call)
    call.start()
    call.wait_up()
    shaping = Shaping(site.lns, wait_session(server)["ifname"])

    def change(*attributes):
        return ask("coa", "User-Name = carol", *attributes)

    answer = change('Mikrotik-Rate-Limit = "8k/1G"', "Idle-Timeout = 3000")
    assert answer.code == "CoA-ACK", answer
    assert "rate 1Gbit" in shaping.down() and "rate 8Kbit" in shaping.up()
    send(site.lns, ADDRESS)
    send(site.lac, GATEWAY)
    wait_for(lambda: shaping.dropped()[1] > PACKETS / 2, "dropped packets", context=shaping.up)
    server.wait_log(rf"changed by RADIUS client {CORE}:.* rates 1G down and 8k up")

    for number, rate in enumerate((2000000, 3000000, 4000000)):  # filters take turns
        answer = change(f"WISPr-Bandwidth-Max-Up = {rate}", f"Ascend-Xmit-Rate = {rate + 1000}")
        assert answer.code == "CoA-ACK", (number, answer)
        limits = wait_session(server)["limits"]
        assert (limits["down"], limits["up"]) == (rate + 1000, rate)
        assert len(re.findall("police", shaping.up())) == 1, shaping.up()
        assert f"rate {rate // 1000000}Mbit" in shaping.up()

    before = wait_session(server)
    for lines, cause in (
        (['Mikrotik-Rate-Limit = "fast"', "Idle-Timeout = 60"], "Invalid-Attribute-Value"),
        (["WISPr-Bandwidth-Max-Up = 1", "Idle-Timeout = 60"], "Invalid-Attribute-Value"),
        (["WISPr-Bandwidth-Max-Up = 9000", "WISPr-Bandwidth-Min-Up = 9000"], "Unsupported-Attribute"),
        (["WISPr-Bandwidth-Max-Up = 9000", 'Cisco-AVPair = "x=y"'], "Unsupported-Attribute"),
        (["WISPr-Bandwidth-Max-Up = 9000", "Acct-Interim-Interval = 5"], "Invalid-Attribute-Value"),
    ):
        answer = change(*lines)
        assert (answer.code, answer.cause) == ("CoA-NAK", cause), (lines, answer)
    after = wait_session(server)
    assert (after["limits"], after["idle_timeout"]) == (before["limits"], 3000)

    assert change('Mikrotik-Rate-Limit = "0"').code == "CoA-ACK"
    assert "tbf" not in shaping.down() and not shaping.up()
    call.hang_up()
    call.wait_down()
    server.wait_sessions(0)


@pytest.mark.heavy
def test_a_filter_that_was_left(site, users, lnsd, lac, ask):
    """Both priorities are taken, as when the kernel would not delete one: the next change is made all the same."""
    server = lnsd(das_config()).start()
    call = Call("sub0", "carol", "slow")
    lac(call)
    call.start()
    call.wait_up()
    device = wait_session(server)["ifname"]
    shaping = Shaping(site.lns, device)
    for rate in (2000000, 3000000):  # from either priority
        there = {int(pref) for pref in re.findall(r"pref (\d+) ", shaping.up())}
        (free,) = {1, 2} - there
        police = ["police", "rate", "9mbit", "burst", "20k", "conform-exceed", "drop"]
        words = ["filter", "add", "dev", device, "ingress", "pref", str(free), "handle", "1", "matchall", "action", *police]
        run("tc", "-n", site.lns.name, *words)
        answer = ask("coa", "User-Name = carol", f"WISPr-Bandwidth-Max-Up = {rate}")
        assert answer.code == "CoA-ACK", (rate, answer, server.log())
        assert len(re.findall("police", shaping.up())) == 1, shaping.up()
        assert f"rate {rate // 1000000}Mbit" in shaping.up()


@pytest.mark.heavy
def test_what_tc_is_told(site, online):
    server, call, session = online("dave", "burst")
    shaping = Shaping(site.lns, session["ifname"])
    assert re.search(r"tbf 1: root .* rate 2Mbit burst 300000b", shaping.down()), shaping.down()
    assert re.search(r"police .* rate 1Mbit burst 200000b", shaping.up()), shaping.up()
    assert shaping.dropped() == (0, 0)
    server.wait_log(r'user "dave".*not obeyed: Cisco-AVPair = ip:something=else')


@pytest.mark.heavy
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


@pytest.mark.heavy
def test_nobody_is_limited_who_need_not_be(site, online):
    _, _, session = online("alice", "wonderland")
    shaping = Shaping(site.lns, session["ifname"])
    assert session["limits"]["down"] == session["limits"]["up"] == 0
    assert "tbf" not in shaping.down() and not shaping.up()
    assert "clsact" not in run("tc", "-n", site.lns.name, "qdisc", "show", "dev", session["ifname"])

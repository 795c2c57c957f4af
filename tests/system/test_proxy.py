# SPDX-License-Identifier: BSD-2-Clause
"""A LAC that negotiated LCP and took the answer to its challenge, through the whole of lnsd."""

import pytest

from lab.lnsd import config

CALLS = 3
PROXIED = ("--sessions", str(CALLS), "--proxy", "both", "--allow-failures")


@pytest.mark.parametrize("auth,line", [("chap", '"chap"'), ("pap", '"pap"'), ("mschapv2", '"mschap-v2"')])
def test_no_packet_of_lcp_is_sent(radius, lnsd, load, auth, line):
    server = lnsd(config(auth=line)).start()
    report = load(*PROXIED, "--strict", "--auth", auth).result()
    assert report["calls"]["up"] == CALLS and report["failures"] == [], report
    assert len(radius.requests()) == CALLS
    server.wait_sessions(0)


@pytest.mark.parametrize("policy", ["renegotiate", "never"])
def test_lcp_starts_again(radius, lnsd, load, policy):
    """A client that is strict about it sees that; any other comes online, and RADIUS was asked once."""
    server = lnsd(config(ppp=f'proxy-lcp = "{policy}"', auth='"chap"')).start()
    report = load(*PROXIED, "--auth", "chap").result()
    assert report["calls"]["up"] == CALLS and report["failures"] == [], report
    assert len(radius.requests()) == CALLS
    server.wait_sessions(0)
    report = load(*PROXIED, "--strict", "--auth", "chap").result()
    assert report["calls"]["up"] == 0, report
    server.wait_sessions(0)


@pytest.mark.parametrize("ppp,lac,online", [("never", "accept", CALLS), ("accept", "never", 0)])
def test_a_lac_section_overrides_its_ppp_section(radius, lnsd, load, ppp, lac, online):
    text = config(ppp=f'proxy-lcp = "{ppp}"', lac=f'proxy-lcp = "{lac}"', auth='"chap"')
    server = lnsd(text).start()
    report = load(*PROXIED, "--strict", "--auth", "chap").result()
    assert report["calls"]["up"] == online, report
    server.wait_sessions(0)


def test_a_proxied_answer_that_is_wrong(radius, lnsd, load):
    server = lnsd(config(auth='"chap"')).start()
    report = load(*PROXIED, "--strict", "--auth", "chap", "--password", "wrong").result()
    assert report["calls"]["up"] == 0, report
    server.wait_log("authentication refused", count=CALLS)
    assert len(radius.requests()) == CALLS and not radius.accounting(status="Start")

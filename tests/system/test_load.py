# SPDX-License-Identifier: BSD-2-Clause
"""lns-load as a tool of its own, and what only it can try on lnsd: EAP of many clients on a bad line."""

from lab.load import quiet_config, sources
from lab.wait import DEADLINE, wait_for

CALLS = 20


def test_eap(site, lnsd, load, radius):
    """MD5, and MS-CHAPv2 for the one whose profile says so."""
    lnsd(quiet_config(auth='"eap"')).start()
    report = load(*sources(site), "--sessions", str(CALLS), "--auth", "eap").result()
    assert report["status"] == 0 and report["calls"]["up"] == CALLS, report
    assert report["retransmissions"]["auth"] == 0, report
    one = load(*sources(site, 1), "--user", "carol", "--password", "lobster", "--auth", "eap").result()
    assert one["status"] == 0 and one["calls"]["up"] == 1, one
    assert "State" in radius.requests("carol")[-1]


def test_eap_on_a_bad_line(site, lnsd, load, radius):
    """Every fifth packet is lost each way, Successes too: a client that gets none sees it by IPCP."""
    server = lnsd(quiet_config(auth='"eap"', lac="retransmits = 15")).start()
    run = load(
        *sources(site), *("--sessions", str(CALLS), "--auth", "eap", "--loss", "20", "--duplicate", "5"),
        *("--retransmits", "15", "--timeout", "10m"),
    )
    wait_for(lambda: not run.process.running(), "the end of the calls", timeout=4 * DEADLINE, context=server.log)
    report = run.result()
    assert report["calls"]["up"] == CALLS and not report["failures"], report
    assert report["retransmissions"]["auth"] > 0, report

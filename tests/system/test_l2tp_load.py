# SPDX-License-Identifier: BSD-2-Clause
"""L2TP under stress: lines that lose packets, LACs that reboot."""

import pytest

from lab.load import BadLine, quiet_config, sources, wait_all_up, up
from lab.wait import DEADLINE, wait_for

pytestmark = pytest.mark.heavy

CALLS = 50


@pytest.fixture(params=["seeded", "netem"])
def bad_line(site, request):
    """Makes a bad line, and the options of lns-load for it: bad_line(loss=10, delay="10ms").

    lns-load's own, whose seed makes it the same in every run, or the kernel's, which is below the kernel's
    own L2TP as well.
    """
    made = []

    def make(**how):
        if request.param == "seeded":
            return [word for name, value in how.items() for word in (f"--{name}", str(value))]
        made.append(BadLine(site, **how))
        return []

    yield make
    for one in made:
        one.repair()


def test_a_very_bad_line(site, lnsd, load, bad_line):
    """30 % loss each way, 10 % twice, 10 % out of order: every call comes up, given enough patience."""
    server = lnsd(quiet_config(lac="retransmits = 15")).start()
    run = load(
        *sources(site),
        *("--sessions", str(CALLS), "--retransmits", "15", "--timeout", "10m", "--hold", "1h"),
        *bad_line(delay="10ms", reorder=10, loss=30, duplicate=10),
    )
    wait_all_up(server, run, CALLS)
    stats = server.json("show", "stats")["l2tp"]
    assert stats["retransmissions"] > 0 and stats["duplicates"] > 0 and stats["out_of_order"] > 0
    report = run.finish()
    assert report["calls"]["up"] == CALLS, report
    assert report["failures"] == [], report
    server.wait_sessions(0)


# How a call may end that did not come up on a bad line; codes of RFC 2661 section 4.4.2.
REASONS = {
    "tunnel lost",
    "ended by the LAC",
    "LCP did not open",
    "client did not authenticate",
    "no network protocol came up",
    "setup took too long",
}


def test_a_bad_line(site, lnsd, load, bad_line):
    """10 % loss and the usual patience: every call is up, or cleared for the right reason."""
    server = lnsd(quiet_config()).start()
    run = load(
        *sources(site),
        *("--sessions", str(CALLS), "--timeout", "5m", "--hold", "1h"),
        *bad_line(delay="10ms", loss=10),
    )

    def settled():
        stats = server.json("show", "stats")
        failed = sum(stats["ended"].values())
        return up(server) + failed >= CALLS and stats["in_setup"] + stats["queued"] == 0 and stats

    stats = wait_for(settled, "all calls up or cleared", timeout=4 * DEADLINE, context=server.log)
    assert set(stats["ended"]) <= REASONS, stats
    assert up(server) >= CALLS * 9 // 10
    report = run.finish()
    for failure in report["failures"]:
        assert "result" in failure["reason"] or "acknowledg" in failure["reason"], report
    server.wait_sessions(0)


def test_a_lac_reboots(site, lnsd, load, radius):
    """One of three LACs dies with its calls and is back at once, on the same port; the others' stay."""
    server = lnsd(quiet_config()).start()
    run = load(*sources(site, 3), "--sessions", "9", "--reboot", "1", "--hold", "20s")
    wait_all_up(server, run, 9)
    first = {s["id"] for s in server.sessions()}

    def replaced():
        sessions = server.sessions()
        now = {s["id"] for s in sessions if s["state"] == "up"}
        return len(sessions) == len(now) == 9 and len(now & first) == 6

    wait_for(replaced, "the calls of the LAC that rebooted", context=server.log)
    assert len([t for t in server.tunnels() if t["state"] == "established"]) == 3
    report = run.result()
    assert report["status"] == 0, report
    server.wait_sessions(0)
    stops = radius.wait_accounting("Stop", count=12)
    # Result 1 in the CDNs at the end, and tunnels that were lost, are the same to accounting.
    assert {s["Acct-Terminate-Cause"] for s in stops} == {"Lost-Carrier"}

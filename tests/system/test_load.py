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
    assert not one["failed_calls"], one


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


def test_a_failed_call_tells_its_packets(site, lnsd, load, radius):
    """What the client and the LNS said last, without what could be guessed from."""
    lnsd(quiet_config(auth='"chap"')).start()
    report = load(*sources(site, 1), "--user", "alice", "--password", "wrong", "--auth", "chap").result()
    assert report["status"] == 1, report
    (call,) = report["failed_calls"]
    assert call["user"] == "alice" and call["session"] and call["lns_session"], call
    assert call["reason"] == report["failures"][0]["reason"] and "refused" in call["reason"], call
    packets = call["packets"]
    assert {p["from"] for p in packets} == {"client", "lns"}
    # The Failure is the last word; of CHAP there is the header alone.
    assert packets[-1]["protocol"] == "c223" and packets[-1]["octets"].startswith("04"), call
    assert all(len(p["octets"]) == 8 for p in packets if p["protocol"] == "c223"), call
    # The LNS asked for CHAP, and the client agreed.
    assert any(p["from"] == "lns" and p["octets"][:2] == "01" and "0305c22305" in p["octets"] for p in packets), call
    assert any(p["from"] == "client" and p["octets"][:2] == "02" and "0305c22305" in p["octets"] for p in packets), call
    assert [p["ms"] for p in packets] == sorted(p["ms"] for p in packets) and call["ms"] >= packets[-1]["ms"]


def test_a_run_with_everything(site, lnsd, load, radius):
    """Pings, churn, both families, numbered data, a LAC that falls silent: all of it is counted."""
    text = quiet_config(lac='hello = "2s"\n\tretransmits = 2', ppp='lcp-echo = "0s"\n\tipv6 = true')
    server = lnsd(text).start()
    run = load(
        *sources(site, 3), *("--sessions", "12", "--vanish", "1", "--hold", "8s", "--ping", "500ms", "--churn", "2"),
        *("--early-lcp", "--ipv6", "--sequencing", "--progress"),
    )
    report = run.result()
    assert report["status"] == 0 and report["failures"] == [] and report["failed_calls"] == [], report
    calls, pings = report["calls"], report["pings"]
    assert calls["vanished"] == 4 and calls["started"] == calls["up"] > 12 + 4, report
    assert pings["received"] > 50 and pings["sent"] >= pings["received"], report
    assert report["latency_ms"]["ping"]["samples"] == pings["received"], report
    for phase in ("sccrp", "icrp", "lcp", "auth", "up", "call"):
        latency = report["latency_ms"][phase]
        assert latency["samples"] and latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"], report
    progress = run.process.output()
    for stage in ("hold", "ping", "done"):
        assert f" s  {stage}  up " in progress, progress
    server.wait_sessions(0)  # those of the silent LAC, too

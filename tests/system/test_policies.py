# SPDX-License-Identifier: BSD-2-Clause
"""What a subscriber is granted besides an address: routes, and who gives way to whom; MS-CHAPv2."""

import pytest

from lab.lnsd import config
from lab.load import quiet_config, sources
from lab.site import GATEWAY
from lab.wait import wait_for
from lab.xl2tpd import Call

pytestmark = pytest.mark.heavy

CAROL = """
carol	Cleartext-Password := "routes"
	Framed-IP-Address = 100.64.3.3,
	Framed-Route = "203.0.113.0/24 0.0.0.0 1",
	Framed-Route += "203.0.112.0/24 100.64.3.3 1",
	Chargeable-User-Identity = "c17"

dave	Cleartext-Password := "identity"
	Framed-IP-Address = 100.64.3.4,
	Framed-Interface-Id = 0:0:0:42

erin	Cleartext-Password := "idle"
	Framed-IP-Address = 100.64.3.5,
	Idle-Timeout = 12

"""


@pytest.fixture
def with_carol(radius_users):
    """FreeRADIUS knows carol, too."""
    return radius_users(CAROL)


def test_routes_of_a_subscriber(site, with_carol, lnsd, lac):
    server = lnsd(config()).start()
    call = Call("sub0", "carol", "routes")
    lac(call)
    call.start()
    assert call.wait_up() == "100.64.3.3"
    device = server.wait_sessions(1)[0]["ifname"]

    def routes():
        return {r["dst"] for r in site.lns.ip_json("route", "show", "dev", device)}

    wait_for(lambda: {"203.0.113.0/24", "203.0.112.0/24"} <= routes(), "both routes")
    start = with_carol.wait_accounting("Start", "carol")[0]
    assert bytes.fromhex(start["Chargeable-User-Identity"][2:]) == b"c17"
    call.hang_up()
    call.wait_down()
    server.wait_sessions(0)
    left = {r["dst"] for r in site.lns.ip_json("route", "show")}
    assert not left & {"203.0.113.0/24", "203.0.112.0/24"}


def test_interface_id(site, with_carol, lnsd, lac):
    """IPv6 with the identifier from RADIUS, which accounting repeats."""
    server = lnsd(config(ppp="ipv6 = true")).start()
    call = Call("sub0", "dave", "identity", ["+ipv6", "ipv6cp-accept-local"])
    lac(call)
    call.start()
    call.wait_up()
    local = "local  LL address fe80::0000:0000:0000:0042"
    wait_for(lambda: local in call.output(), "the identifier", context=call.context)
    device = server.wait_sessions(1)[0]["ifname"]
    words = ["ping", "-6", "-n", "-c1", "-W5", f"fe80::42%{device}"]
    wait_for(lambda: "1 received" in site.lns.run(*words, check=False), "an answer by IPv6", context=server.log)
    call.hang_up()
    for status in ("Start", "Stop"):
        (record,) = with_carol.wait_accounting(status, "dave")
        assert record["Framed-Interface-Id"].strip('"') in ("0:0:0:42", "0000:0000:0000:0042")


def test_idle_timeout(site, with_carol, lnsd, lac):
    """Traffic keeps the session beyond its idle timeout; silence ends it."""
    server = lnsd(config()).start()
    call = Call("sub0", "erin", "idle")
    lac(call)
    call.start()
    call.wait_up()
    (session,) = server.wait_sessions(1)
    assert server.json("show", "session", str(session["id"]))["idle_timeout"] == 12
    site.lac.run("ping", "-n", "-I", "sub0", "-i", "2", "-c", "15", "-W", "5", GATEWAY)  # 28 s
    assert [s["id"] for s in server.sessions()] == [session["id"]]
    (stop,) = with_carol.wait_accounting("Stop", "erin")
    assert stop["Acct-Terminate-Cause"] == "Idle-Timeout"
    assert int(stop["Acct-Session-Time"]) >= 40  # 28 and 12
    call.wait_down()


USERS = 'alice "wonderland" 100.64.2.2\nbob "builder" *\n'


def test_mschap_v2_of_local_users(site, lnsd, lac):
    users = config(auth='"mschap-v2"', backend="", top='users = "%USERS%"')
    server = lnsd(users, USERS).start()
    first, wrong = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "breaker")
    lac(first, wrong)
    first.start()
    assert first.wait_up() == "100.64.2.2"
    assert "rcvd [CHAP Success" in first.output()
    wrong.start()
    wait_for(lambda: "E=691" in wrong.output(), "the refusal", context=wrong.context)
    wrong.wait_down()
    server.wait_sessions(1)


def test_a_duplicate_address_replaces_the_older_session(site, lnsd, lac):
    users = config(backend="", top='users = "%USERS%"', ppp='duplicate-address = "replace"')
    server = lnsd(users, USERS).start()
    first, second = Call("sub0", "alice", "wonderland"), Call("sub1", "alice", "wonderland")
    lac(first, second)
    first.start()
    assert first.wait_up() == "100.64.2.2"
    before = server.wait_sessions(1)[0]["id"]
    second.start()
    assert second.wait_up() == "100.64.2.2"
    first.wait_down()
    assert server.wait_sessions(1)[0]["id"] != before


@pytest.mark.parametrize("how", ["reboot", "stopccn", "cdn"])
def test_a_storm_where_the_pool_is_just_large_enough(site, radius, lnsd, load, how):
    """Everybody comes back before the old sessions have given back their addresses, and gets one."""
    calls = 40
    text = quiet_config().replace("100.64.0.254", f"100.64.0.{1 + calls}")
    server = lnsd(text).start()
    run = load(*sources(site, 2), "--sessions", str(calls), "--hold", "1s", "--storm", "1", "--storm-by", how)
    report = run.result()
    assert report["status"] == 0 and [wave["up"] for wave in report["waves"]] == [calls, calls], report
    server.wait_sessions(0)


def test_the_oldest_of_too_many_gives_way(site, lnsd, lac):
    """The pool has one address, which the new session takes over."""
    ppp = 'max-sessions-per-user = 1\n\tover-limit = "replace"'
    users = config(backend="", top='users = "%USERS%"', ppp=ppp).replace("100.64.0.254", "100.64.0.2")
    server = lnsd(users, USERS).start()
    first, second = Call("sub0", "bob", "builder"), Call("sub1", "bob", "builder")
    lac(first, second)
    first.start()
    assert first.wait_up() == "100.64.0.2"
    before = server.wait_sessions(1)[0]["id"]
    second.start()
    assert second.wait_up() == "100.64.0.2"
    first.wait_down()
    assert server.wait_sessions(1)[0]["id"] != before


def test_one_session_too_many(site, lnsd, lac):
    users = config(backend="", top='users = "%USERS%"', ppp="max-sessions-per-user = 1")
    server = lnsd(users, USERS).start()
    first, second = Call("sub0", "bob", "builder"), Call("sub1", "bob", "builder")
    lac(first, second)
    first.start()
    first.wait_up()
    second.start()
    wait_for(lambda: "Connection terminated" in second.output(), "the refusal")
    second.wait_down()
    assert not second.address()
    server.wait_log("has too many sessions: limit 1")
    server.wait_sessions(1)

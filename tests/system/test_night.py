# SPDX-License-Identifier: BSD-2-Clause
"""Somebody cannot connect, and it is night: one command from the subscriber to the reason, two from an alert to
the LAC and why its calls fail; and each reason says what to look at."""

import pytest

from lab.lnsd import config
from lab.lnsd import radius as radius_section
from lab.wait import wait_for
from lab.xl2tpd import Call

pytestmark = pytest.mark.heavy

USERS = 'alice "wonderland" *\nbob "builder" *\n'
FILE = {"backend": "", "top": 'users = "%USERS%"'}


def wait_error(server):
    """The LAC's last error, as lnsctl show lac has it."""
    return wait_for(lambda: server.json("show", "lac", "wholesale")["last_error"], "an error", context=server.log)


def expect(server, user, reason, detail):
    """What why, and show lac tell of a call that has failed."""
    wait_for(lambda: server.json("history"), "the end", context=server.log)
    told = server.ctl("why", user)
    assert reason in told and detail in told, told
    worst = server.json("show", "lacs", "--sort", "-failed")[0]
    assert (worst["lac"], worst["calls_failed"]) == ("wholesale", 1)
    section = server.json("show", "lac", worst["lac"])
    assert section["failed_reasons"] == {reason: 1}
    assert section["last_error"].startswith(f"{reason}: ") and detail in section["last_error"]
    server.stop()


def dial(server, lac, user="alice", password="wonderland", **how):
    call = Call("sub0", user, password, options=how.pop("options", []))
    lac(call, **how)
    call.start()
    return call


def test_wrong_password(radius, lnsd, lac):
    server = lnsd(config()).start()
    dial(server, lac, password="looking-glass")
    expect(server, "alice", "authentication refused", "by RADIUS server 192.0.2.10:1812")


def test_radius_is_down(lnsd, lac):
    server = lnsd(config(backend=radius_section(auth_port=1899, tries=1, timeout="1s"))).start()
    dial(server, lac)
    expect(server, "alice", "no RADIUS server answers", "last tried 192.0.2.10:1899: does it run")


def test_pool_is_exhausted(lnsd, lacs):
    server = lnsd(config(**FILE).replace("100.64.0.2-100.64.0.254", "100.64.0.2"), USERS).start()
    first, second = Call("sub0", "alice", "wonderland"), Call("sub1", "bob", "builder")
    lacs(first, second)
    first.start()
    first.wait_up()
    second.start()
    expect(server, "bob", "no free address", 'pool "subscribers"')


def test_client_does_not_speak_ppp(lnsd, lac):
    """There is no name to ask for: the refusal to tell of one names the command that shows such calls."""
    server = lnsd(config(backend="", top=FILE["top"] + '\nsetup-timeout = "10s"'), USERS).start()
    call = dial(server, lac, options=["connect '/bin/sleep 600'"], userspace=True)
    ends = wait_for(lambda: server.json("history", "--failed"), "the end", context=server.log)
    assert ends[0]["reason"] == "setup took too long"
    assert ends[0]["detail"] == "no LCP: does the client speak PPP?"
    with pytest.raises(AssertionError, match="lnsctl history --failed"):
        server.ctl("why", "alice")
    assert "does the client speak PPP?" in server.ctl("show", "lacs")
    call.kill()
    server.stop()


@pytest.mark.parametrize("says_so", ["lac", "lns"])
def test_lac_has_another_secret(lnsd, lac, load, says_so):
    """Whichever end finds out first."""
    server = lnsd(config(lac="challenge = false" if says_so == "lac" else "", **FILE), USERS).start()
    if says_so == "lac":
        dial(server, lac, secret="another secret")
    else:
        load("--secret", "another secret", "--sessions", "1", "--allow-failures")
    error = wait_error(server)
    assert error.startswith("tunnel not established: ended by") and "secret" in error
    assert "secret" in server.ctl("show", "lacs", "--sort", "-failed")
    server.wait_log("warning: tunnel .* not established, .*secret")
    server.stop()


def test_no_lac_section_matches(lnsd, lac):
    server = lnsd(config(**FILE).replace("198.51.100.0/24", "203.0.113.9"), USERS).start()
    dial(server, lac)
    stats = wait_for(lambda: (s := server.json("show", "stats"))["last_stranger"] and s, "it", context=server.log)
    assert stats["last_stranger"] == "198.51.100.2:1701 (lac1): no lac section matches this peer"
    assert stats["last_stranger_at"]
    with pytest.raises(AssertionError, match="show stats.* for a peer that no lac section matches"):
        server.ctl("why", "alice")
    server.stop()

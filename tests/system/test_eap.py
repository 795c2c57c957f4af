# SPDX-License-Identifier: BSD-2-Clause
"""EAP from a subscriber's pppd through lnsd to FreeRADIUS and back."""

import re

from lab.lnsd import config
from lab.site import CORE, GATEWAY
from lab.xl2tpd import Call


def test_md5(site, radius, lnsd, lac):
    server = lnsd(config(auth='"eap"')).start()
    call = Call("sub0", "alice", "wonderland")
    lac(call)
    call.start()
    assert call.wait_up() == "100.64.1.1"
    assert "EAP authentication succeeded" in call.output()
    assert "2 received" in site.lac.ping(CORE, "sub0", count=2, size=1000)
    session = server.wait_sessions(1)[0]
    assert server.json("show", "session", str(session["id"]))["auth"] == "EAP"

    identity, answer = radius.requests("alice")
    assert identity["EAP-Message"].endswith(b"alice".hex())
    assert "State" not in identity and answer["State"]
    assert identity["Framed-MTU"] == "1400"
    for request in (identity, answer):
        assert request["Message-Authenticator"]
        assert not any("Password" in name for name in request)
        assert request["Acct-Session-Id"] == identity["Acct-Session-Id"]

    call.hang_up()
    radius.wait_accounting("Start", "alice")
    assert radius.wait_accounting("Stop", "alice")[0]["Acct-Authentic"] == "RADIUS"
    call.wait_down()
    assert "not obeyed" not in server.log()


def test_mschapv2_makes_keys(site, radius, lnsd, lac):
    server = lnsd(config(auth='"eap"')).start()
    call = Call("sub0", "carol", "lobster", ["require-mppe-128"])
    lac(call)
    call.start()
    call.wait_up()
    assert "MPPE 128-bit stateless compression enabled" in call.output()
    assert "1 received" in site.lac.ping(GATEWAY, "sub0")
    call.hang_up()
    radius.wait_accounting("Stop", "carol")
    assert "not obeyed" not in server.log()


def test_wrong_password(lnsd, lac, radius):
    server = lnsd(config(auth='"eap"')).start()
    call = Call("sub0", "alice", "wrong")
    lac(call)
    call.start()
    server.wait_log(r'failed, user "alice": authentication refused')
    call.wait_down()
    assert re.search(r"EAP: peer reports authentication failure|rcvd \[EAP Failure", call.output())
    assert not radius.accounting(status="Start")


def test_a_client_without_eap_takes_the_next_protocol(lnsd, lac, radius):
    lnsd(config(auth='"eap", "chap"')).start()
    call = Call("sub0", "alice", "wonderland", ["refuse-eap"])
    lac(call)
    call.start()
    call.wait_up()
    assert "CHAP authentication succeeded" in call.output()
    assert "CHAP-Password" in radius.requests("alice")[0]


def test_a_client_without_eap_where_nothing_else_is_allowed(lnsd, lac, radius):
    server = lnsd(config(auth='"eap"')).start()
    call = Call("sub0", "alice", "wonderland", ["refuse-eap"])
    lac(call)
    call.start()
    server.wait_log("failed: client did not authenticate")
    call.wait_down()
    assert not radius.requests()

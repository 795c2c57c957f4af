# SPDX-License-Identifier: BSD-2-Clause
"""The laboratory itself, with xl2tpd as the LNS: where these fail, nobody else is to blame."""

import pytest

from lab import leftovers
from lab.freeradius import parse_records
from lab.lnsd import RADIUS_SECRET
from lab.namespace import Namespace
from lab.site import CORE, GATEWAY, LAC, LNS
from lab.xl2tpd import Call, Xl2tpdLac, Xl2tpdLns

USERS = {"alice": "wonderland", "bob": "builder"}


@pytest.fixture
def xl2tpd_lns(site, clean, tmp_path):
    lns = Xl2tpdLns(site.lns, str(tmp_path / "lns"), LNS, USERS, secret="tunnel")
    yield lns
    lns.stop()


def lac(site, tmp_path, *calls, **options):
    return Xl2tpdLac(site.lac, str(tmp_path / "lac"), LAC, LNS, calls, secret="tunnel", **options)


@pytest.mark.parametrize("userspace", [False, True])
def test_call(site, xl2tpd_lns, tmp_path, userspace):
    call = Call("sub0", "alice", "wonderland")
    access = lac(site, tmp_path, call, userspace=userspace)
    try:
        call.start()
        address = call.wait_up()
        assert address.startswith("100.64.0.")
        assert call.peer_address() == GATEWAY
        assert call.dns() == ["192.0.2.53", "192.0.2.53"]
        assert "1 received" in site.lac.ping(GATEWAY, "sub0")
        assert "1 received" in site.lns.ping(address)
        call.hang_up()
        call.wait_down()
    finally:
        access.stop()


def test_wrong_password(site, xl2tpd_lns, tmp_path):
    call = Call("sub0", "bob", "wrong")
    access = lac(site, tmp_path, call)
    try:
        call.start()
        with pytest.raises(AssertionError, match="CHAP authentication failed"):
            call.wait_up()
    finally:
        access.stop()


def radclient(site, port, kind, request):
    """What FreeRADIUS answers to a request from the LNS."""
    line = f"echo '{request}' | radclient -x -t 20 {CORE}:{port} {kind} '{RADIUS_SECRET}'"
    return site.lns.run("sh", "-c", line)


def test_freeradius(site, radius):
    request = "User-Name=alice,User-Password=wonderland,Message-Authenticator=0x00"
    answer = radclient(site, 1812, "auth", request)
    assert "Access-Accept" in answer and "Framed-IP-Address = 100.64.1.1" in answer
    answer = radclient(site, 1813, "acct", "User-Name=alice,Acct-Status-Type=Start,Acct-Session-Id=1")
    assert "Accounting-Response" in answer
    assert radius.wait_accounting("Start", "alice")[0]["Acct-Session-Id"] == "1"
    assert len(radius.requests("alice")) == 1


def test_records():
    text = 'date\n\tClass = 0x01\n\tClass = 0x02\n\tUser-Name = "a = b"\n\n\tUnfinished = 1\n'
    assert parse_records(text) == [{"Class": ["0x01", "0x02"], "User-Name": "a = b"}]


def test_leftovers_are_found(tmp_path):
    """The check that every test relies on sees a process, a socket, an interface and a route."""
    host = Namespace("leaky")
    try:
        before = leftovers.snapshot([host], [str(tmp_path)])
        process = host.start("sleep", "1000", log=str(tmp_path / "log"))
        with host.socket() as sock:
            sock.bind(("127.0.0.1", 1701))
            host.ip(
                "link add dangling type dummy",
                "link set dangling up",
                "route add 192.0.2.0/24 dev dangling",
            )
            found = leftovers.difference(before, leftovers.snapshot([host], [str(tmp_path)]))
            process.stop()
        for what in ("sleep", "udp 0100007F:06A5", "dangling", "dangling 000200C0", "/log"):
            assert what in found
    finally:
        host.close()

# SPDX-License-Identifier: BSD-2-Clause
"""lns/kernel and lns/net against a real kernel with L2TP, without the rest of lnsd.

Every case of kernel_check (tests/system/kernel_check.c) runs by itself in an empty network namespace,
as a user that has CAP_NET_ADMIN and nothing else: the rights of lnsd's engine. Cases with a ppp interface
are given /dev/ppp opened by root, as a session's pppd has it.
"""

import os
import subprocess

import pytest

from lab import leftovers

BUILD = os.environ.get("LNS_BUILD", "build")
PROGRAM = f"{BUILD}/tests/kernel_check"
CASES = [
    "tunnel",
    "tunnel-is-made-again",
    "tunnel-ends-with-its-socket",
    "tunnel-over-ipv6",
    "session",
    "session-with-sequencing",
    "two-tunnels-on-one-pair-of-addresses",
    "final-counters",
    "interface",
    "interface-is-deleted",
    "limits",
    "cancel",
    "session-right-after-its-tunnel",
    "many-sessions",
    "end-with-jobs-under-way",
]
UNPRIVILEGED = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all,+net_admin",
    "--ambient-caps=-all,+net_admin",
    "--bounding-set=-all,+net_admin",
    "--no-new-privs",
]


@pytest.fixture(autouse=True)
def kernel_log():
    """Fails a test that made the kernel complain."""
    log = leftovers.KernelLog()
    yield
    found = log.complaints()
    log.close()
    assert not found, "\n".join(found)


def linux_version():
    return tuple(int(word) for word in os.uname().release.split("-")[0].split(".")[:2])


def test_every_case_is_run():
    listed = subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == CASES


@pytest.mark.parametrize("case", CASES)
def test_kernel(case):
    if case.startswith("two-tunnels") and linux_version() < (6, 11):
        pytest.skip("before Linux 6.11 the receiving socket decides whose data it is")
    fds = [os.open("/dev/ppp", os.O_RDWR) for _ in range(2)]
    child = subprocess.Popen(
        ["unshare", "-n", *UNPRIVILEGED, PROGRAM, case, *map(str, fds)],
        pass_fds=fds,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for fd in fds:  # the case must have the last ones: closing them is part of it
        os.close(fd)
    try:
        output = child.communicate(timeout=120)[0]
    finally:
        child.kill()
    print(output)
    assert child.returncode == 0, output


def test_more_rights_are_refused():
    """The proof above is worth something only if kernel_check notices other rights."""
    child = subprocess.run(
        ["unshare", "-n", PROGRAM, "tunnel"], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert "geteuid() != 0" in child.stderr

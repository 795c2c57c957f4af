# SPDX-License-Identifier: BSD-2-Clause
"""What the system tests share: the hosts, and the check that nothing is left of a test."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from lab import leftovers  # noqa: E402
from lab.das import Asker  # noqa: E402
from lab.freeradius import FreeRadius  # noqa: E402
from lab.lnsd import RADIUS_SECRET, SECRET, Lnsd  # noqa: E402
from lab.load import Load  # noqa: E402
from lab.site import CORE, LAC, LNS, LNS_CORE, Site  # noqa: E402
from lab.xl2tpd import Xl2tpdLac  # noqa: E402


def emulated():
    """A processor that QEMU computes: eight times slower, so that checks of everything take an hour."""
    with open("/proc/cpuinfo", encoding="ascii") as file:
        return "QEMU Virtual CPU" in file.read()


def pytest_configure(config):
    config.addinivalue_line("markers", "heavy: not on an emulated processor; LNS_HEAVY=1 everywhere, =0 nowhere")


def pytest_collection_modifyitems(config, items):
    wanted = os.environ.get("LNS_HEAVY") or ("0" if emulated() else "1")
    if wanted == "1":
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    items[:] = [item for item in items if item not in heavy]
    config.hook.pytest_deselected(items=heavy)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The hosts, with nothing running on them."""
    site = Site(str(tmp_path_factory.mktemp("site")))
    yield site
    site.close()


@pytest.fixture
def clean(site):
    """Fails the test when hosts or kernel are not after it as they were before it."""
    log = leftovers.KernelLog()
    before = leftovers.snapshot(site.namespaces)
    yield before
    try:
        leftovers.wait_same(before, site.namespaces)
        assert not (found := log.complaints()), "\n".join(found)
    except AssertionError:
        leftovers.kill_new(before, site.namespaces)  # the next test starts without them
        raise
    finally:
        log.close()


ALICE = """
alice	Cleartext-Password := "wonderland"
	Framed-IP-Address = 100.64.1.1,
	Session-Timeout = 3600,
	MS-Primary-DNS-Server = 192.0.2.54,
	Framed-MTU = 1300,
	Class = "gold",
	Class += "residential"

carol	Cleartext-Password := "lobster", EAP-Type := MSCHAPv2
	Framed-Pool = "subscribers"

DEFAULT	Cleartext-Password := "builder"
	Framed-Pool = "subscribers"
"""


@pytest.fixture(scope="session")
def freeradius(site):
    server = FreeRadius(site.core, site.path("radius"), CORE, LNS_CORE, RADIUS_SECRET, ALICE)
    yield server
    server.stop()


@pytest.fixture
def radius(freeradius):
    """FreeRADIUS, with nothing written down yet."""
    freeradius.forget()
    return freeradius


@pytest.fixture
def radius_users(radius):
    """Gives FreeRADIUS more users: radius_users(text), which comes before all others. For fixtures: it restarts
    FreeRADIUS, and must have done so before `clean` looks around."""

    def know(text):
        radius.stop()
        radius._write("users", text + ALICE)
        radius.start()
        return radius

    yield know
    know("")


@pytest.fixture
def ask(site):
    """Sends requests of dynamic authorization."""
    return Asker(site)


@pytest.fixture
def lnsd(site, radius, clean):
    """Makes lnsd with a configuration, and ends it: lnsd(config(...)).start()."""
    made = []

    def make(text, users=None):
        made.append(Lnsd(site.lns, text, users))
        return made[-1]

    yield make
    try:
        for one in made:
            one.stop()
    finally:
        for one in made:
            if one.process:
                print(f"--- lnsd\n{one.process.tail()}")
            one.close()


@pytest.fixture
def lac(site, clean, tmp_path):
    """Makes a LAC with calls: lac(Call(...), Call(...), address=...)."""
    made = []

    def make(*calls, address=LAC, secret=SECRET, **options):
        directory = str(tmp_path / f"lac{len(made)}")
        made.append(Xl2tpdLac(site.lac, directory, address, LNS, calls, secret=secret, **options))
        return made[-1]

    yield make
    for one in made:
        print(f"--- xl2tpd\n{one.process.output()}")
        for call in one.calls:
            print(f"--- pppd of {call.name}\n{call.output()}")
        one.stop()


@pytest.fixture
def lacs(site, lac):
    """Makes a LAC for each call: xl2tpd opens a tunnel for each, and kernels before 6.11 cannot tell two of
    the same addresses and ports apart. All but the first are in user space: their processes choose kernel
    tunnel ids independently."""

    def make(first, *others):
        lac(first)
        for call, address in zip(others, site.lac_addresses(len(others))):
            lac(call, address=address, host_name=f"lac-{call.name}", userspace=True)

    return make


@pytest.fixture
def load(site, clean, tmp_path):
    """Makes runs of lns-load: load("--sessions", "5", ...)."""
    made = []

    def make(*options):
        made.append(Load(site.lac, str(tmp_path / f"load{len(made)}"), *options))
        return made[-1]

    yield make
    for one in made:
        print(f"--- lns-load\n{one.process.output()}")
        one.stop()

# SPDX-License-Identifier: BSD-2-Clause
"""The metrics, scraped over HTTP while calls come, stay and fail."""

import os
import re
import urllib.error
import urllib.request

import pytest

from lab.freeradius import TREE
from lab.lnsd import config
from lab.wait import wait_for
from lab.xl2tpd import Call

pytestmark = pytest.mark.heavy

SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([0-9]+(?:\.[0-9]+)?)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def scrape(namespace, address="127.0.0.1:9473", path="/metrics"):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with namespace.entered():
        with opener.open(f"http://{address}{path}", timeout=30) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            return answer.read().decode("ascii")


def parse(text):
    """{(name, ((label, value), ...)): number}; fails on anything that Prometheus would not take."""
    samples, types, last = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert len(line.split(" ", 3)) == 4, line
            continue
        if line.startswith("# TYPE "):
            _, _, last, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram") and last not in types, line
            assert (kind == "counter") == last.endswith("_total"), line
            types[last] = kind
            continue
        match = SAMPLE.match(line)
        assert match, line
        name, labels, value = match.groups()
        base = re.sub("_(bucket|sum|count)$", "", name) if types[last] == "histogram" else name
        assert base == last, f"{line} under {last}"
        key = (name, tuple(sorted(LABEL.findall(labels or ""))))
        assert key not in samples, line
        samples[key] = float(value)
    return samples


class Metrics:
    def __init__(self, namespace):
        self.namespace = namespace
        self.samples = {}

    def read(self):
        self.samples = parse(scrape(self.namespace))
        return self

    def value(self, name, **labels):
        return self.samples[(name, tuple(sorted(labels.items())))]

    def wait(self, wanted, name, **labels):
        """A text is made once a second at most."""
        wait_for(
            lambda: self.read().value(name, **labels) == wanted,
            f"{name} {labels} to be {wanted}",
            context=lambda: "\n".join(f"{key}: {n}" for key, n in self.samples.items()),
        )
        return self


@pytest.fixture
def metrics(site):
    return Metrics(site.lns)


LISTEN = 'metrics = { "127.0.0.1", "[::1]:9474" }'
WHOLESALE = {"lac": "wholesale"}


def test_a_call(site, radius, lnsd, lac, metrics):
    server = lnsd(config(top=LISTEN, ppp="rate-down = 100M")).start()
    metrics.read()
    assert metrics.value("lnsd_sessions", state="up", **WHOLESALE) == 0
    assert metrics.value("lnsd_calls_failed_total", reason="authentication refused", **WHOLESALE) == 0
    call, stranger = Call("sub0", "alice", "wonderland"), Call("sub1", "alice", "wrong")
    access = lac(call, stranger)
    call.start()
    call.wait_up()
    server.wait_sessions(1)

    metrics.wait(1, "lnsd_sessions", state="up", **WHOLESALE)
    assert metrics.value("lnsd_tunnels", **WHOLESALE) == 1
    assert metrics.value("lnsd_calls_total", **WHOLESALE) == 1
    assert metrics.value("lnsd_sessions_started_total", **WHOLESALE) == 1
    assert metrics.value("lnsd_pppd_starts_total", result="ok") == 1
    assert metrics.value("lnsd_rate_limits_total", result="ok") == 1
    assert metrics.value("lnsd_engine_starts_total") == 1
    assert metrics.value("process_resident_memory_bytes") > 1e6
    for phase in ("kernel", "connect", "queue", "fork", "lcp", "auth", "network", "setup"):
        assert metrics.value("lnsd_call_phase_seconds_count", phase=phase) == 1, phase
    setup = metrics.value("lnsd_call_phase_seconds_sum", phase="setup")
    parts = ("kernel", "connect", "queue", "fork", "lcp", "auth", "network")
    assert setup == pytest.approx(
        sum(metrics.value("lnsd_call_phase_seconds_sum", phase=part) for part in parts)
    )
    servers = {dict(labels)["server"] for name, labels in metrics.samples if name == "lnsd_radius_up"}
    assert servers == {"192.0.2.10:1812", "192.0.2.10:1813"}
    auth = {"server": "192.0.2.10:1812", "purpose": "authentication"}
    assert metrics.value("lnsd_radius_replies_total", code="access-accept", **auth) == 1
    assert 0 < metrics.value("lnsd_radius_latency_seconds", **auth) < 30
    assert metrics.value("lnsd_spool_disk_error") == 0

    call.hang_up()
    call.wait_down()
    metrics.wait(1, "lnsd_sessions_ended_total", reason="ended by the client", **WHOLESALE)
    assert metrics.value("lnsd_sessions", state="up", **WHOLESALE) == 0
    stranger.start()
    metrics.wait(1, "lnsd_calls_failed_total", reason="authentication refused", **WHOLESALE)
    assert metrics.value("lnsd_call_phase_seconds_count", phase="setup") == 1
    assert metrics.value("lnsd_call_phase_seconds_count", phase="end") == 2
    states = [n for (name, _), n in metrics.samples.items() if name == "lnsd_sessions"]
    access.stop()
    assert sum(states) == 0
    metrics.wait(0, "lnsd_tunnels", **WHOLESALE)


EXPR = re.compile(r"""^( *)(?:"expr": "(.*)",?$|expr: ([^>].*)$|expr: >\n((?:\1  .*\n)+))""", re.M)
SELECTOR = re.compile(r"\b((?:lnsd|process)_[a-z0-9_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)(=|!=|=~|!~)"([^"]*)"')


def expressions():
    """Those of the alerts and of the dashboard."""
    for name in ("prometheus-alerts.yml", "grafana-dashboard.json"):
        with open(os.path.join(TREE, "conf", name), encoding="utf-8") as file:
            text = file.read()
        found = ["".join(match.groups("")[1:]).replace('\\"', '"') for match in EXPR.finditer(text)]
        assert len(found) == len(re.findall(r'\bexpr"?:', text)), f"{name}: not every expr was understood"
        yield from found


def test_alerts_and_dashboard_name_what_there_is(radius, lnsd, metrics):
    """Every metric, and every label and value of it that they ask for."""
    lnsd(config(top=LISTEN)).start()
    metrics.read()
    known = {}
    for name, labels in metrics.samples:
        for label, value in labels:
            known.setdefault(name, {}).setdefault(label, set()).add(value)
        known.setdefault(name, {})
    used = set()
    for text in expressions():
        for name, matchers in SELECTOR.findall(text):
            used.add(name)
            assert name in known, f"there is no {name}: {text}"
            for label, operator, value in MATCHER.findall(matchers):
                if label in ("job", "instance"):
                    continue
                assert label in known[name], f"{name} has no label {label}: {text}"
                wanted = set(value.split("|") if "~" in operator else [value]) - {"$lac"}
                lacking = wanted - known[name][label]
                assert not lacking, f"{name} never has {label} {sorted(lacking)}: {text}"
    assert len(used) > 25
    assert {"lnsd_hook_programs_total", "lnsd_kernel_repairs_total", "lnsd_system_limit_sessions"} <= used


def test_addresses(site, radius, lnsd, metrics):
    """Served where the configuration says so, and nowhere else after a reload."""
    server = lnsd(config(top=LISTEN)).start()
    assert scrape(site.lns, "[::1]:9474").startswith("# HELP ")
    with pytest.raises(urllib.error.HTTPError) as answer:
        scrape(site.lns, path="/")
    assert answer.value.code == 404
    with open(server.config, "r+", encoding="utf-8") as file:
        text = file.read().replace(LISTEN, 'metrics = "[::1]:9475"')
        file.seek(0)
        file.truncate()
        file.write(text)
    server.process.popen.send_signal(1)
    server.wait_log("configuration reloaded")
    assert scrape(site.lns, "[::1]:9475").startswith("# HELP ")
    for address in ("127.0.0.1:9473", "[::1]:9474"):
        with pytest.raises(urllib.error.URLError, match="refused"):
            scrape(site.lns, address)

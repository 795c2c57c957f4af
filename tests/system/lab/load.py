# SPDX-License-Identifier: BSD-2-Clause
"""load: lns-load, our own LAC: many tunnels, many subscribers, and hostile packets. And bad lines."""

import json
import os
import signal

from lab.lnsd import BUILD, SECRET, config
from lab.namespace import run
from lab.site import LNS
from lab.wait import DEADLINE, wait_for

LACS = 5
QUIET = {"top": 'setup-timeout = "10m"\ncontrol-timeout = "10m"', "ppp": 'lcp-echo = "0s"'}


def quiet_config(**options):
    """Without debugging, which costs more than all the rest."""
    return config(**{**QUIET, **options}).replace('"debug"', '"info"')


def sources(site, count=LACS):
    """Options for as many LACs, each with an address of its own."""
    addresses = site.lac_addresses(count)
    return "--source", f"{addresses[0]}-{addresses[-1]}", "--lacs", str(count)


def up(server):
    return sum(s["state"] == "up" for s in server.sessions())


def wait_all_up(server, load, count, times=4):
    def there():
        assert load.process.running(), load.process.output()
        return up(server) == count

    wait_for(there, f"{count} sessions", timeout=times * DEADLINE, context=lambda: str(server.json("show", "stats")))


class Load:
    def __init__(self, namespace, directory, *options, secret=SECRET):
        os.makedirs(directory, exist_ok=True)
        self.result_path = os.path.join(directory, "result.json")
        words = [f"{BUILD}/lns-load", "--lns", LNS, "--secret", secret, "--seed", "1"]
        words += ["--user", "user%d", "--password", "builder", "--json", self.result_path]
        self.process = namespace.start(*words, *options, log=os.path.join(directory, "log"))

    def result(self):
        """Waits for the end and returns its report."""
        status = self.process.wait_end()
        with open(self.result_path, encoding="utf-8") as file:
            report = json.load(file)
        report["status"] = status
        return report

    def finish(self):
        """Ends a run that holds its calls, as after the time that it was to hold them."""
        self.process.popen.send_signal(signal.SIGINT)
        return self.result()

    def stop(self):
        if self.process.running():
            self.process.stop(signal.SIGKILL)


class BadLine:
    """Both directions of a cable to the LNS, by default the LAC's, lose, repeat and reorder packets."""

    def __init__(self, site, device="wan", **how):
        self.device = device
        self.namespaces = (site.lac if device == "wan" else site.core, site.lns)
        run("modprobe", "-q", "sch_netem", check=False)  # where it is a module
        options = [word for name, value in how.items() for word in (name, f"{value}%" if isinstance(value, int) else value)]
        for seed, namespace in enumerate(self.namespaces, 1):
            words = ["tc", "-n", namespace.name, "qdisc", "replace", "dev", device, "root", "netem", *options]
            # A seed of its own where kernel and tc know that; otherwise the kernel's.
            if run(*words, "seed", str(seed), check=False):  # it has complained
                run(*words)

    def repair(self):
        for namespace in self.namespaces:
            run("tc", "-n", namespace.name, "qdisc", "del", "dev", self.device, "root", check=False)
        self.namespaces = ()

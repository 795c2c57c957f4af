# SPDX-License-Identifier: BSD-2-Clause
"""namespace: a host is a network namespace; cables are veth pairs.

A Namespace starts programs, opens sockets and reads /proc on its host without a program in between, so
that it is cheap on a slow machine. It knows every process of its host by its network namespace and ends
them all when it is closed.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

from lab.wait import wait_for

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_MS_REC_SLAVE = 0x4000 | 0x80000

TAIL = 500000  # octets


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def _setns(fd):
    _check(_libc.setns(fd, _CLONE_NEWNET), "setns")


def _hide(directories):
    """Gives this process a mount namespace in which {directory: {file: text}} are all there is."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _check(_libc.mount(None, b"/", None, _MS_REC_SLAVE, None), "mount /")
    for directory, files in directories.items():
        _check(_libc.mount(b"tmpfs", directory.encode(), b"tmpfs", 0, None), directory)
        for name, text in files.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text)


def _preload(library):
    """Gives this process, and those that it starts, a mount namespace in which they load a library first:
    also those that forget their environment, and those of users who may not look into the tree."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _check(_libc.mount(None, b"/", None, _MS_REC_SLAVE, None), "mount /")
    directory = tempfile.mkdtemp(prefix="preload-")
    os.chmod(directory, 0o755)
    _check(_libc.mount(b"tmpfs", directory.encode(), b"tmpfs", 0, None), directory)
    with open(os.path.join(directory, "ld.so.preload"), "w", encoding="utf-8") as file:
        file.write(shutil.copy(library, directory) + "\n")
    layers = f"lowerdir={directory}:/etc"
    _check(_libc.mount(b"overlay", b"/etc", b"overlay", 0, layers.encode()), "overlay on /etc")


def run(*words, check=True, stdin=None):
    """Runs a program to its end and returns what it printed."""
    done = subprocess.run(
        words, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class Process:
    """A program on a host, its output in a file. nofile: how many files it may open at most."""

    def __init__(self, namespace, words, log, hide=None, env=None, preload=None, nofile=None):
        self.words = words
        self.log = log
        netns = namespace.fd

        def enter():
            _setns(netns)
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
            if hide:
                _hide(hide)
            if preload:
                _preload(preload)

        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=enter,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def output(self):
        with open(self.log, "r", encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self):
        """The end of the output, as much of it as somebody reads: a flood can make it very long."""
        with open(self.log, "rb") as file:
            file.seek(max(0, os.path.getsize(self.log) - TAIL))
            return file.read().decode("utf-8", errors="replace")

    def wait_output(self, text, timeout=None):
        """Waits until the output contains text; fails at once when the program ends before."""

        def there():
            ended = not self.running()
            if text in self.output():
                return True
            assert not ended, f"{self.words[0]} ended ({self.popen.poll()}):\n{self.output()}"
            return False

        limits = {"timeout": timeout} if timeout else {}
        wait_for(there, f"{text!r} from {self.words[0]}", context=self.output, **limits)

    def wait_end(self):
        """Waits for the end and returns the status."""
        wait_for(lambda: not self.running(), f"the end of {self.words[0]}", context=self.output)
        return self.popen.returncode

    def stop(self, how=signal.SIGTERM):
        if self.running():
            self.popen.send_signal(how)
        return self.wait_end()


class Namespace:
    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.inode = os.fstat(self.fd).st_ino
        self.ip("link set lo up")
        for key in ("all", "default"):
            self.sysctl(f"net/ipv4/conf/{key}/rp_filter", 0)

    def ip(self, *commands):
        """Several commands of ip(8), one program."""
        run("ip", "-n", self.name, "-b", "-", stdin="\n".join(commands) + "\n")

    def ip_json(self, *words):
        return json.loads(run("ip", "-n", self.name, "-j", *words) or "[]")

    def connect(self, device, address, other, other_device, other_address):
        """A cable to another host, both ends up, with addresses such as 192.0.2.1/24."""
        self.ip(
            f"link add {device} type veth peer name {other_device} netns {other.name}",
            f"addr add {address} dev {device}",
            f"link set {device} up",
        )
        other.ip(f"addr add {other_address} dev {other_device}", f"link set {other_device} up")

    @contextlib.contextmanager
    def entered(self):
        """This process is on the host inside the block: for sockets and /proc/net."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _setns(self.fd)
        try:
            yield
        finally:
            _setns(home)
            os.close(home)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM):
        with self.entered():
            return socket.socket(family, kind)

    def read(self, path):
        with self.entered(), open(path, "r", encoding="ascii", errors="replace") as file:
            return file.read()

    def sysctl(self, key, value):
        with self.entered(), open(f"/proc/sys/{key}", "w", encoding="ascii") as file:
            file.write(str(value))

    def start(self, *words, log, **how):
        return Process(self, words, log, **how)

    def run(self, *words, check=True):
        """Runs a program on the host to its end and returns what it printed."""
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: _setns(self.fd),
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}")
        return done.stdout

    def ping(self, target, device=None, count=1, size=56):
        """Pings until count answers have come; the deadline is for a slow machine."""
        words = ["ping", "-n", "-c", str(count), "-i", "0.2", "-w", "30", "-s", str(size)]
        if device:
            words += ["-I", device]
        return self.run(*words, target)

    def processes(self):
        """{pid: name} of everything that runs on the host."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                if os.stat(f"/proc/{entry}/ns/net").st_ino == self.inode:
                    with open(f"/proc/{entry}/comm", encoding="ascii", errors="replace") as file:
                        found[int(entry)] = file.read().strip()
            except OSError:
                continue  # it ended, or is a zombie
        return found

    def kill_all(self):
        """Ends everything that runs on the host in one moment, as the loss of its power does."""
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
        wait_for(lambda: not self.processes(), f"the end of the processes on {self.name}")

    def interfaces(self):
        lines = self.read("/proc/net/dev").splitlines()[2:]
        return {line.split(":")[0].strip() for line in lines}

    def close(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            wait_for(lambda: not self.processes(), f"the end of the processes on {self.name}", 30)
        finally:
            os.close(self.fd)
            run("ip", "netns", "del", self.name)

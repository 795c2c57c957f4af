# SPDX-License-Identifier: BSD-2-Clause
"""machine: a host that systemd runs, as on a real one: process 1, a journal, packages, units as installed.

It is made as systemd-nspawn makes one: pid, mount, UTS, IPC and control group namespaces of its own around
the network namespace that the host is anyway, and a root directory that is an overlay over this machine's:
what is installed here is there, and what a package brings along is gone afterwards. Of the units that come
with systemd only the journal, udev and what mounts the kernel's file systems run.
"""

import contextlib
import os
import shutil
import signal

from lab.namespace import run
from lab.wait import wait_for

SYSTEMD = "/lib/systemd/systemd"
CGROUP = "/sys/fs/cgroup"
KEPT = ("systemd-journald", "systemd-udevd", "systemd-tmpfiles-setup.service", "sys-kernel-")
PROGRAMS = ("unshare", "nsenter", "pivot_root", "dpkg", "systemctl", "journalctl")

# Makes the root directory out of $1, with what must be seen there ($2...), and becomes systemd.
BOOT = """
set -e
base=$1 root=$1/root
shift
mount --make-rprivate /
mount -t tmpfs tmpfs $base/upper
mkdir $base/upper/upper $base/upper/work
mount -t overlay -o lowerdir=/,upperdir=$base/upper/upper,workdir=$base/upper/work overlay $root
mount --rbind /dev $root/dev
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs $root/run
mount -t tmpfs -o mode=1777 tmpfs $root/tmp
for seen; do
	mkdir -p "$root$seen"
	mount --bind "$seen" "$root$seen"
done
[ ! -d /lib/modules ] || mount --bind /lib/modules $root/lib/modules
hostname lns
cd $root
mkdir -p old
pivot_root . old
umount -l /old
rm -f /usr/sbin/policy-rc.d
mount -t tmpfs -o mode=755 tmpfs /etc/systemd/system
for unit in $MASKED; do ln -s /dev/null /etc/systemd/system/$unit; done
printf '[Unit]\\nRequires=basic.target\\nAfter=basic.target\\n' >/etc/systemd/system/lab.target
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin $SYSTEMD --unit=lab.target --log-target=journal
"""


def missing():
    """Why no such host can be made here; None when it can."""
    if not os.access(SYSTEMD, os.X_OK):
        return f"systemd is not installed: no {SYSTEMD}"
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"not installed: {' '.join(absent)}"
    run("modprobe", "-q", "overlay", check=False)
    with open("/proc/filesystems", encoding="ascii") as file:
        known = file.read().split()
    absent = [name for name in ("overlay", "cgroup2") if name not in known]
    return f"this kernel has no {' '.join(absent)}" if absent else None


def _masked():
    """What systemd would start besides."""
    found = set()
    for target in ("sysinit", "basic", "local-fs", "timers", "sockets", "multi-user"):
        with contextlib.suppress(FileNotFoundError):
            found |= set(os.listdir(f"/lib/systemd/system/{target}.target.wants"))
    return sorted(name for name in found if not name.startswith(KEPT) and not name.endswith(".target"))


class Machine:
    def __init__(self, namespace, directory, seen=()):
        """seen are directories that are to be there as they are here."""
        self.namespace = namespace
        self.directory = directory
        for name in ("upper", "root"):
            os.makedirs(os.path.join(directory, name))
        self.cgroup = os.path.join(CGROUP, f"lnsd-test-{os.getpid()}")
        self._make_cgroup()
        self.process = namespace.start(
            *("sh", "-c", f'echo $$ >{self.cgroup}/cgroup.procs; exec "$@"', "machine"),
            *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"),
            *("sh", "-c", BOOT, "boot", directory, *seen),
            log=os.path.join(directory, "log"),
            env={"MASKED": " ".join(_masked()), "SYSTEMD": SYSTEMD},
        )
        try:
            self.pid = wait_for(self._first, "process 1", context=self.process.output)
            wait_for(self._booted, "systemd", context=self.context)
        except BaseException:
            self.close()
            raise

    def _make_cgroup(self):
        """A control group that counts processes, where the kernel can."""
        if not os.path.exists(f"{CGROUP}/cgroup.procs"):
            run("mount", "-t", "cgroup2", "cgroup2", CGROUP)
        with contextlib.suppress(OSError), open(f"{CGROUP}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write("+pids")
        os.mkdir(self.cgroup)

    def _first(self):
        """The process that is the first one there, as it is numbered here."""
        assert self.process.running(), self.process.output()
        for pid, name in self.namespace.processes().items():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                numbers = next(line for line in file if line.startswith("NSpid:")).split()[1:]
                if name == "systemd" and numbers[1:] == ["1"]:
                    return pid
        return None

    def _booted(self):
        assert self.process.running(), self.process.output()
        return self.run("systemctl", "is-active", "lab.target", check=False).strip() == "active"

    def context(self):
        return self.process.output() + self.run("journalctl", "--no-pager", "-n", "200", check=False)

    def run(self, *words, check=True):
        """Runs a program there to its end and returns what it printed."""
        return self.namespace.run("nsenter", "-t", str(self.pid), "-a", "-r", "-w", *words, check=check)

    def status(self, *words):
        """The exit status of a program there."""
        return int(self.run("sh", "-c", '"$@" >/dev/null 2>&1; echo $?', "status", *words))

    def install(self, package):
        """Installs a Debian package. dpkg makes a directory under another name and renames it, which an overlay
        cannot where tmpfs has no extended attributes: so they are made first."""
        lines = run("dpkg", "-c", package).splitlines()
        folders = [line.split()[5].lstrip(".") for line in lines if line.startswith("d")]
        self.run("mkdir", "-p", *folders)
        return self.run("dpkg", "--no-triggers", "-i", package)

    def path(self, path):
        """A file there, as it can be reached from here."""
        return f"/proc/{self.pid}/root{path}"

    def read(self, path):
        with open(self.path(path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, path, text, mode=0o600):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def stop(self):
        """Turns it off, which stops what runs."""
        if self.process.running():
            os.kill(self.pid, signal.SIGRTMIN + 4)
        self.process.wait_end()

    def close(self):
        if self.process.running():
            self.process.stop(signal.SIGKILL)
        for path, _, _ in os.walk(self.cgroup, topdown=False):
            wait_for(lambda path=path: self._remove(path), f"the end of {path}")

    @staticmethod
    def _remove(path):
        try:
            os.rmdir(path)
        except OSError:
            return False
        return True

# SPDX-License-Identifier: BSD-2-Clause
"""The manual pages say what --help says, and the unit for systemd keeps its promise. The options of
lns.conf(5) are held to the schema by tests/unit/config."""

import functools
import os
import re
import shutil
import subprocess

import pytest

from lab.freeradius import TREE
from lab.lnsd import BUILD
from lab.namespace import run

OPTION = re.compile(r"(?<![\w-])(-[a-zA-Z]|--[a-z][a-z-]+)(?![\w-])")


def page(name):
    with open(os.path.join(TREE, "conf/man", name), encoding="utf-8") as file:
        return file.read().replace("\\-", "-").replace("\\&", "")


def section(text, name):
    """The lines of a section, by its title."""
    match = re.search(rf'^\.SH "?{name}"?\n(.*?)(?=^\.SH|\Z)', text, re.M | re.S)
    assert match, f"no section {name}"
    return match.group(1)


def tags(text):
    """What paragraphs are about: the line after .TP or .TQ, without fonts and quotes."""
    found = re.findall(r"^\.T[PQ]\n(.*)$", text, re.M)
    return [re.sub(r"\\f[BIRP]|^\.[BIR]{1,2} |[\",]", "", tag) for tag in found]


def usage(program):
    return run(f"{BUILD}/{program}", "--help")


@pytest.mark.parametrize("program, name", [("lnsd", "lnsd.8"), ("lnsctl", "lnsctl.8")])
def test_options(program, name):
    helped = set(OPTION.findall(usage(program)))
    documented = set(OPTION.findall("\n".join(tags(section(page(name), "OPTIONS")))))
    assert helped, usage(program)
    assert documented == helped, f"only one of --help and {name} has {sorted(documented ^ helped)}"


def test_commands():
    """Words in small letters make a command; what is in capitals or brackets are its arguments."""

    def names(lines):
        found = (re.match(r"[a-z|]+(?: [a-z|]+)*(?![\w=-])", line) for line in lines)
        return {match.group(0) for match in found if match}

    listed = re.search(r"^Commands:\n(.*?)\n\n", usage("lnsctl") + "\n\n", re.M | re.S).group(1)
    helped = names(re.split(r"\s{2,}|\s(?=[A-Z\[])", line.strip())[0] for line in listed.splitlines())
    documented = names(tag.strip() for tag in tags(section(page("lnsctl.8"), "COMMANDS")))
    assert len(helped) > 5
    assert documented == helped, f"only one of --help and lnsctl.8 has {sorted(documented ^ helped)}"


COMPLETE = """
lnsctl() { "$LNSCTL" "$@"; }
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_lnsctl_complete
printf '%s\\n' "${COMPREPLY[@]}"
"""


@functools.cache
def complete(*words):
    """What bash offers for the last word."""
    script = os.path.join(TREE, "conf/completion/lnsctl.bash")
    return set(run("bash", "-c", COMPLETE, "bash", script, f"{BUILD}/lnsctl", *words).split())


def test_completion_knows_every_command_and_option():
    listed = re.search(r"^Commands:\n(.*?)\n\n", usage("lnsctl"), re.M | re.S).group(1)
    commands = [re.match(r"[a-z]+( [a-z]+)*", line.strip()).group(0).split() for line in listed.splitlines()]
    assert len(commands) > 20
    for command in commands:
        for n, word in enumerate(command):
            assert word in complete(*command[:n], ""), f"{word} after {command[:n]}"
            assert word in complete(*command[:n], word[:2])
    assert complete("show", "ra") == {"radius"}
    helped = {option for option in OPTION.findall(usage("lnsctl")) if option.startswith("--")}
    assert complete("--") == helped == complete("show", "sessions", "--user", "x", "--")
    assert "up" in complete("show", "sessions", "--state", "")
    for watch in ["--watch"], ["--watch", "7"], ["--watch", "=", "7"]:
        assert "sessions" in complete("show", *watch, ""), watch


@pytest.mark.parametrize("name", sorted(os.listdir(os.path.join(TREE, "conf/man"))))
def test_pages_are_clean(name):
    path = os.path.join(TREE, "conf/man", name)
    words = ["groff", "-man", "-Tutf8", "-ww", "-z", path]
    done = subprocess.run(words, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_unit_is_hardened():
    unit = os.path.join(TREE, "conf/systemd/lnsd.service")
    said = run("systemd-analyze", "security", "--offline=yes", unit)
    exposure = float(re.search(r"Overall exposure level for lnsd.service: ([0-9.]+)", said).group(1))
    assert exposure < 3, said
    with open(unit, encoding="utf-8") as file:
        assert "\nUser=" not in file.read()  # systemd 257 takes CAP_SETUID away then
    assert "Unknown" not in said and "ignoring" not in said, said

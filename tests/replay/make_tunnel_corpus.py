#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""make_tunnel_corpus: writes the lives in tests/replay/l2tp_tunnel, seeds of fuzz_l2tp_tunnel.

Each file is one life of a server in the language of tests/fuzz/fuzz_l2tp_tunnel.c. Run from the top
directory; the output is always the same.
"""
import pathlib
import shutil

(ZLB, SCCRQ, SCCRP, SCCCN, STOPCCN, HELLO, ICRQ, ICRP, ICCN, OCRQ, OCRP, OCCN, CDN, WEN, SLI,
 CSUN, CSURQ) = range(17)
(ACCEPT, CLOSE, CLOSE_TUNNEL, PLACE, CONNECT, DRAIN, LINK_INFO, ASK, ASK_SPEEDS, DRAIN_LAC, RESERVE,
 SETTINGS, WATCH, STOP_FOR_DEAD, CAUSE, SLOW) = range(16)
TWICE, WITH_AVPS, ONE_CHANGE = 0x20, 0x40, 0x08


def message(which, choice=0, stranger=0, ahead=0, rest=()):
    """rest: changed octets, added AVPs, then what the owner decides."""
    return bytes([0, which, choice, stranger, 0, 0, ahead & 255, 0, *rest])


def octets(data):
    return bytes([181, 0, len(data)]) + data


def act(what, which=0):
    return bytes([200, what, which])


def wait(power):
    """10 ms, times two to the power of 0 to 12."""
    return bytes([230 + 2 * power])


def settings(bits=0):
    return bytes([bits])


YES, NO, STOP_ALL, LATER = [0], [140], [251], [170]
START = settings()
OPEN = message(SCCRQ, rest=YES) + message(SCCCN)
CALL = message(ICRQ, rest=YES) + message(ICCN, rest=YES)
CALL_MESSAGES = (ICRQ, ICRP, ICCN, OCRQ, OCRP, OCCN)

LIVES = {
    "call": START + OPEN + CALL + message(WEN) + message(SLI) + act(LINK_INFO) + message(CSUN)
            + message(CDN),
    "outgoing": START + OPEN + act(PLACE) + message(OCRP) + message(OCCN, rest=YES) + act(CLOSE),
    "connect": START + act(CONNECT) + message(SCCRP) + act(PLACE) + message(OCRP)
               + message(OCCN, rest=YES) + act(CLOSE_TUNNEL),
    "early": settings(0xf0) + OPEN + message(ICRQ, rest=LATER) + message(HELLO, ahead=102)
             + message(HELLO, ahead=101) + message(HELLO) + act(ACCEPT) + message(ICCN, rest=YES),
    "stop": START + OPEN + CALL + message(STOPCCN) + wait(11) + message(STOPCCN, ahead=-101)
            + wait(12),
    "crossing-stops": START + OPEN + act(CLOSE_TUNNEL) + message(STOPCCN) + wait(12),
    "lost": START + OPEN + CALL + act(LINK_INFO) + wait(12) + wait(12),
    "restart": START + OPEN + CALL + wait(11) + message(SCCRQ, rest=YES) + message(SCCCN) + wait(11),
    "copies": START + message(SCCRQ, TWICE, rest=YES) + message(SCCCN, TWICE),
    "tie": START + act(CONNECT) + message(SCCRQ, rest=YES),
    "hidden": settings(0x42) + OPEN + CALL + message(CDN),
    "challenge": settings(0x41) + OPEN,
    "drained": START + OPEN + act(DRAIN, 1) + message(ICRQ) + message(SCCRQ, 1),
    "refused-calls": START + OPEN + message(ICRQ, rest=NO) + message(ICRQ, rest=STOP_ALL),
    "octets": START + octets(bytes([0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0])) + OPEN,
    "moved": START + message(SCCRQ, rest=YES) + message(SCCCN, 2, stranger=255),
    "mandatory-avp": START + OPEN + message(ICRQ, WITH_AVPS, rest=[6, 0x80, 6, 0, 0, 0, 0x70]),
    "idle": settings(8) + OPEN + wait(12) + wait(11) + wait(11),
    "limit": START + OPEN + message(ICRQ, rest=YES) * 10,
    "ask": START + OPEN + act(ASK) + wait(1) + act(ASK) + message(ZLB) + act(ASK),
    "speeds": START + OPEN + CALL + act(ASK_SPEEDS) + message(CSUN) + message(CSURQ)
              + act(STOP_FOR_DEAD) + message(CDN) + act(ASK_SPEEDS),
    "drained-lac": START + OPEN + act(DRAIN_LAC, 1) + message(ICRQ) + message(SCCRQ, 1)
                   + act(DRAIN_LAC) + message(ICRQ, rest=YES) + act(RESERVE, 1) + act(WATCH, 1)
                   + message(HELLO),
    "other-settings": START + OPEN + act(SETTINGS, 0xc9) + message(ICRQ, rest=YES) * 2
                      + message(SCCRQ, 1, rest=YES),
    "slow-owner": START + OPEN + act(SLOW, 1) + CALL + act(CAUSE, 3) + message(CDN) + CALL
                  + act(CLOSE_TUNNEL) + wait(12) + act(SLOW),
    "changed": START + OPEN + b"".join(
        message(which, ONE_CHANGE, rest=[3, 1, 0, 0]) for which in range(17)),
}
for kind in CALL_MESSAGES:
    LIVES[f"out-of-place-{kind}"] = START + OPEN + CALL + message(kind)
for kind in (SCCRQ, SCCRP, SCCCN):
    LIVES[f"out-of-place-{kind}"] = START + OPEN + message(kind, 4)

directory = pathlib.Path("tests/replay/l2tp_tunnel")
shutil.rmtree(directory, ignore_errors=True)
directory.mkdir(parents=True)
for name, life in LIVES.items():
    (directory / name).write_bytes(life)

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""make_das_corpus: writes the inputs in tests/replay/radius_das, seeds of tests/fuzz/fuzz_radius_das.c.

An input is a row of packets, each behind an octet that says how it is sent and how long it is (in units
of 8 octets, 0: to the end). The target signs them. Run from the top directory; the output is always the
same.
"""
import pathlib
import shutil
import struct

AS_IT_IS, SIGNED, OTHER_PORT, AGAIN = range(4)
DISCONNECT, COA = 40, 43
NOW = 1700000000
USER, PORT, IP, SERVICE, PROXY, SESSION = 1, 5, 8, 6, 33, 44
TIMEOUT, IDLE, INTERIM, CLASS, STATE, TIME, SIGNATURE = 27, 28, 85, 25, 24, 55, 80


def attr(number, value=b""):
    if isinstance(value, int):
        value = struct.pack(">I", value)
    return bytes([number, len(value) + 2]) + value


def packet(code, *attrs, number=1):
    body = b"".join(attrs)
    return struct.pack(">BBH", code, number, 20 + len(body)) + bytes(16) + body


def last(how, octets):
    """The last packet of an input."""
    return bytes([how << 6]) + octets


def padded(how, octets):
    """A packet with others behind it: padded to units of 8 by a Proxy-State."""
    fill = -(len(octets) + 2) % 8
    octets += attr(PROXY, bytes(fill))
    return bytes([how << 6 | len(octets) // 8]) + octets


ALICE = attr(USER, b"alice")
INPUTS = {
    "empty": b"",
    "disconnect": last(SIGNED, packet(DISCONNECT, ALICE)),
    "disconnect_again": last(AGAIN, packet(DISCONNECT, attr(SESSION, b"0000000100000001"))),
    "disconnect_unsigned": last(AS_IT_IS, packet(DISCONNECT, ALICE)),
    "disconnect_signed": last(SIGNED, packet(DISCONNECT, attr(SIGNATURE, bytes(16)), ALICE)),
    "disconnect_refused": last(AGAIN, packet(DISCONNECT, attr(IP, 0x64400101))),
    "disconnect_nobody": last(SIGNED, packet(DISCONNECT)),
    "disconnect_with_change": last(SIGNED, packet(DISCONNECT, ALICE, attr(TIMEOUT, 60))),
    "coa": last(AGAIN, packet(COA, ALICE, attr(TIMEOUT, 60), attr(IDLE, 60), attr(INTERIM, 60),
                              attr(CLASS, b"gold"), attr(CLASS, b"red"))),
    "coa_no_change": last(SIGNED, packet(COA, ALICE)),
    "coa_authorize_only": last(SIGNED, packet(COA, ALICE, attr(SERVICE, 17), attr(STATE, b"x"))),
    "dated": padded(SIGNED, packet(DISCONNECT, ALICE, attr(TIME, NOW)))
             + padded(OTHER_PORT, packet(DISCONNECT, ALICE, attr(TIME, NOW))),
    "undated": padded(SIGNED, packet(DISCONNECT, ALICE))
               + padded(OTHER_PORT, packet(DISCONNECT, ALICE)),
    "stale": last(SIGNED, packet(DISCONNECT, ALICE, attr(TIME, NOW - 301))),
    "proxy_states": last(AGAIN, packet(DISCONNECT, attr(PROXY, b"2"), ALICE, attr(PROXY, b"1"))),
    "proxy_states_too_many": last(SIGNED, packet(DISCONNECT, ALICE, *[attr(PROXY, bytes(253))] * 15,
                                                 attr(PROXY, bytes(230)))),
    "classes_many": last(SIGNED, packet(COA, ALICE, *[attr(CLASS, bytes([n])) for n in range(250)])),
    "twice": last(SIGNED, packet(DISCONNECT, ALICE, ALICE)),
    "attr_empty": last(SIGNED, packet(DISCONNECT, ALICE, attr(SESSION))),
    "text_nul": last(SIGNED, packet(DISCONNECT, attr(USER, b"a\0b"))),
    "text_longest": last(SIGNED, packet(DISCONNECT, attr(USER, b"u" * 253))),
    "number_short": last(SIGNED, packet(DISCONNECT, ALICE, attr(PORT, b"\1\2\3"))),
    "number_long": last(SIGNED, packet(DISCONNECT, ALICE, attr(IP, b"\1\2\3\4\5"))),
    "attr_half": last(SIGNED, packet(DISCONNECT, ALICE) + b"\1"),
    "attr_beyond": last(SIGNED, packet(DISCONNECT, ALICE) + b"\1\x20x"),
    "attr_zero": last(SIGNED, packet(DISCONNECT, ALICE) + b"\1\0"),
    "signature_twice": last(SIGNED, packet(DISCONNECT, *[attr(SIGNATURE, bytes(16))] * 2, ALICE)),
    "signature_short": last(SIGNED, packet(DISCONNECT, attr(SIGNATURE, bytes(15)), ALICE)),
    "vendor": last(SIGNED, packet(DISCONNECT, ALICE, attr(26, b"\0\0\0\x09\1\3x"))),
    "short": last(AS_IT_IS, packet(DISCONNECT)[:19]),
    "access_request": last(AS_IT_IS, packet(1, ALICE)),
    "over_max": last(SIGNED, packet(DISCONNECT, ALICE) + bytes(4096)),
}


def main():
    directory = pathlib.Path("tests/replay/radius_das")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name, octets in INPUTS.items():
        (directory / name).write_bytes(octets)


main()

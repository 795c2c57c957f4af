# SPDX-License-Identifier: BSD-2-Clause
"""Sequence numbers on data packets (RFC 2661 section 5.4), and what the kernel makes of their order."""

import pytest

from lab import script
from lab.lnsd import SECRET, config
from lab.script import ScriptLac, avp, u16
from lab.site import LAC, LNS
from lab.wait import wait_for


@pytest.fixture
def scripted(site, clean):
    lac = ScriptLac(site.lac, LAC, LNS, secret=SECRET)
    yield lac
    lac.close()


class Link:
    """A call's data packets: LCP Configure-Requests, each with an identifier of its own, and their answers."""

    def __init__(self, server, lac, *iccn):
        self.server, self.lac = server, lac
        lac.open()
        self.peer = lac.call(5, *iccn)

    def frames(self):
        """What came so far: (number or None, LCP code, identifier)."""
        while self.lac.receive(0.05):
            pass
        found = []
        for octets in self.lac.data:
            number, frame = script.data_of(octets)
            if frame[:4] == b"\xff\x03\xc0\x21":
                found.append((number, frame[4], frame[5]))
        return found

    def ask(self, identifier, number=None):
        self.lac.send_data(self.peer, b"\xff\x03\xc0\x21\x01" + bytes([identifier]) + u16(4), number)

    def answers(self):
        """Identifiers of Configure-Acks in the order of their arrival."""
        return [identifier for _, code, identifier in self.frames() if code == 2]

    def wait_answers(self, *identifiers):
        wait_for(
            lambda: self.answers() == list(identifiers),
            f"answers {identifiers}",
            context=lambda: f"{self.answers()}\n{self.server.log()}",
        )

    def wait_sent(self):
        """The first frames of the LNS."""
        return wait_for(self.frames, "a PPP frame", context=self.server.log)

    def session(self):
        return self.server.json("show", "session", str(self.server.wait_sessions(1)[0]["id"]))

    def end(self):
        self.lac.stop()
        self.server.wait_sessions(0)


REQUIRED = avp(script.SEQUENCING_REQUIRED, b"")


def numbers(frames):
    return [number for number, _, _ in frames]


def test_numbers_where_the_lac_requires_them(lnsd, scripted):
    """Both ways: the frames of the LNS have them, and one of the LAC without is dropped."""
    link = Link(lnsd(config()).start(), scripted, REQUIRED)
    sent = link.wait_sent()
    assert numbers(sent) == list(range(len(sent)))
    link.ask(101)
    link.ask(102, number=0)
    link.wait_answers(102)
    assert None not in numbers(link.frames())
    session = link.session()
    assert session["sequencing"] and session["call"]["sequencing_required"]
    assert session["reorder_timeout_ms"] == 0
    # What comes late is dropped when nothing waits for it.
    link.ask(104, number=2)
    link.ask(103, number=1)
    link.ask(105, number=2)
    link.wait_answers(102, 103, 105)
    link.end()


def test_no_numbers_where_nobody_wants_them(lnsd, scripted):
    link = Link(lnsd(config()).start(), scripted)
    link.ask(101)
    link.wait_answers(101)
    assert set(numbers(link.frames())) == {None}
    session = link.session()
    assert not session["sequencing"] and not session["call"]["sequencing_required"]
    link.end()


def test_numbers_where_the_lac_section_demands_them(lnsd, scripted):
    """The LAC learns it from the first frame, and what it sent before counts."""
    link = Link(lnsd(config(lac='sequencing = "demand"')).start(), scripted)
    link.wait_sent()
    link.ask(101)
    link.ask(102, number=0)
    link.wait_answers(102)
    assert None not in numbers(link.frames())
    session = link.session()
    assert session["sequencing"] and not session["call"]["sequencing_required"]
    link.end()


def test_frames_are_put_in_order(lnsd, scripted):
    link = Link(lnsd(config(lac='reorder-timeout = "30s"')).start(), scripted, REQUIRED)
    link.wait_sent()
    for identifier, number in [(101, 0), (104, 3), (103, 2), (102, 1)]:
        link.ask(identifier, number=number)
    link.wait_answers(101, 102, 103, 104)
    assert link.session()["reorder_timeout_ms"] == 30000
    link.end()


@pytest.mark.heavy
def test_what_comes_too_late_is_dropped(lnsd, scripted):
    """Frame 1 is missing for longer than the others wait; then its turn is over."""
    link = Link(lnsd(config(lac='reorder-timeout = "500ms"')).start(), scripted, REQUIRED)
    link.wait_sent()
    link.ask(101, number=0)
    link.wait_answers(101)
    number = 2

    def goes_on():
        nonlocal number
        link.ask(100 + number, number=number)
        number += 1
        return len(link.answers()) > 1

    wait_for(goes_on, "the end of the wait for frame 1", context=link.server.log)
    before = link.answers()
    link.ask(200, number=1)
    link.ask(201, number=number)
    wait_for(lambda: 201 in link.answers(), "an answer", context=link.server.log)
    assert 200 not in link.answers()
    assert link.answers()[: len(before)] == before
    link.end()

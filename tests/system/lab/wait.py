# SPDX-License-Identifier: BSD-2-Clause
"""wait: waiting for conditions.

Nothing in the tests sleeps for a time that somebody thought would do. A deadline is there to end a test
that has failed already: it is long, because an emulated processor is ten times slower than a real one.
"""

import os
import time

DEADLINE = int(os.environ.get("LNS_DEADLINE", "90"))


def wait_for(condition, what, timeout=DEADLINE, context=None):
    """Calls condition until it returns something true, which is returned.

    what completes "waited in vain for ..."; context() gives text to show when that happens.
    """
    deadline = time.monotonic() + timeout
    pause = 0.01
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            text = f"waited {timeout} s in vain for {what}"
            if context:
                text += "\n" + context()
            raise AssertionError(text)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)

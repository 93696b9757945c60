"""Imported once by the process that others are forked from, see `processes`.

It loads the framework and computes nothing: a framework that has computed has threads,
and a fork has none of them.
"""

import contextlib
import signal

from tessera import runtime

# Ctrl-C, which is held back until here, ends it while it loads; then it hears none.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

# A fork says what is wrong with an import; here it would end the server for all.
with contextlib.suppress(Exception):
    runtime.import_backend(alone=True)

"""A process that has the program loaded, and forks for every command that a test calls.

What comes of it is a process of its own like any other, with the folder, the environment and the streams it was given;
what it does not pay is the second of imports, of which a thousand calls would make a quarter of an hour.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys

from pipeline import crash

USED_BY_MOST_RUNS = ("aiohttp", "httptools", "jinja2", "numpy", "py3langid.langid", "pygal", "pypdf", "uvloop")
"""What the program itself imports only when it is needed."""


def load() -> None:
    import pipeline

    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in USED_BY_MOST_RUNS:
        importlib.import_module(name)
    gc.freeze()


def serve(door: socket.socket) -> bool:
    """Begins a command for each call until the test goes. Returns in the command's process alone, as True."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for those that `minded` is
    while True:
        message, descriptors, *_ = socket.recv_fds(door, 1 << 20, 3)
        if not message:
            return False
        if not os.fork():
            door.close()
            fate, *streams = descriptors
            minded(socket.socket(fileno=fate), streams)
            become(json.loads(message), *streams)
            return True
        for one in descriptors:
            os.close(one)


def minded(fate: socket.socket, streams: list[int]) -> None:
    """Returns in a child; the parent tells the test its process id and, when it has ended, its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child:
        for one in streams:
            os.close(one)
        fate.send(str(child).encode())
        _, status = os.wait()
        fate.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    fate.close()


def become(call: dict, out: int, errors: int) -> None:
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    importlib.reload(crash)  # which looks for its point when it is loaded
    for end, stream in ((out, 1), (errors, 2)):
        os.dup2(end, stream)
        os.close(end)
    # Where the tests themselves run in the background Ctrl-C is switched off, and that would be handed down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["coursework", *call["arguments"]]
    exec(call["before"], {})


if __name__ == "__main__":
    load()
    if serve(socket.socket(fileno=int(sys.argv[1]))):
        from pipeline.cli import main

        main()

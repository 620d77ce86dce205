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
    """Forks for each call until the test goes. Returns in the child alone: there it says that there is a call."""
    while True:
        message, streams, *_ = socket.recv_fds(door, 1 << 20, 2)
        if not message:
            return False
        if not os.fork():
            become(json.loads(message), *streams)
            door.close()
            return True
        for stream in streams:
            os.close(stream)
        _, status = os.wait()
        door.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())


def become(call: dict, out: int, errors: int) -> None:
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    importlib.reload(crash)  # which looks for its point when it is loaded
    os.dup2(out, 1)
    os.dup2(errors, 2)
    sys.argv = ["coursework", *call["arguments"]]


if __name__ == "__main__":
    load()
    if serve(socket.socket(fileno=int(sys.argv[1]))):
        from pipeline.cli import main

        main()

"""The pool beside a bare aiohttp loop: share of the ideal time, CPU and memory, in one run against one endpoint.

    python benchmarks/teacher.py            the whole table (about seven minutes)
    python benchmarks/teacher.py --quick    a tenth of the requests
    python benchmarks/teacher.py --memory   100,000 replies: does memory grow with their number?
    python benchmarks/teacher.py --start    from the command to its first request, beside a bare `import openai`

Every cell runs each client in a process of its own, pinned to one core where there are two; the endpoint (`coursework
rehearse --fixed`) has the other. Ours goes from rendered prompts to committed replies to validated drafts; the bare
loop posts the same bytes and reads the answers, and keeps nothing. "ideal" is requests x latency / in flight; one
latency more goes into the first reply, which has to show that the key and the model are good before the window opens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CELLS = [(64, 0.2, 5120), (256, 0.2, 15360), (512, 0.2, 25600), (512, 1.0, 12800), (64, 0.0, 20000)]
ROUNDS = 3


def passages(count: int):
    from pipeline.records import Passage

    filler = "A listener who waits hears what the speaker was about to say, and the speaker notices that. " * 14
    for number in range(count):
        text = f"{number} {filler}"
        yield Passage(
            id=f"{number:016x}", document="d", document_sha256="0", start=0, end=len(text), pages=((0, 1),), text=text
        )


def drafter(count: int):
    from pipeline.draft.documents import DocumentDrafter
    from pipeline.draft.prompts import Manner, Prompt
    from pipeline.recipe import shipped

    prompt = Prompt(shipped() / "prompts" / "document_questions.jinja")
    return DocumentDrafter(list(passages(count)), 5, 1, prompt, Manner("rehearsal", 0.7, 8192))


def measured(begun: float, cpu: float, first: float) -> dict:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "phase": time.monotonic() - begun,
        "cpu": used.ru_utime + used.ru_stime - cpu,
        "rss_mb": used.ru_maxrss / 1024,
        "start": first,
    }


def cpu_now() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_bare(url: str, in_flight: int, count: int) -> dict:
    """What aiohttp alone costs."""
    import aiohttp

    from pipeline.teacher.speech import Speech

    bodies = [Speech().body(request) for request in drafter(min(count, 64)).requests(0, lambda key: None)]

    async def loop() -> dict:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            numbers = iter(range(count))
            begun, cpu = time.monotonic(), cpu_now()

            async def work() -> None:
                for number in numbers:
                    async with session.post(f"{url}/chat/completions", data=bodies[number % 64]) as answer:
                        await answer.read()

            await asyncio.gather(*(work() for _ in range(in_flight)))
            return measured(begun, cpu, 0.0)

    return asyncio.run(loop())


def run_ours(url: str, in_flight: int, count: int) -> dict:
    """Everything from rendered prompts to validated drafts."""
    from pipeline.asking import _runner
    from pipeline.recipe import Budget as Caps
    from pipeline.records import Draft
    from pipeline.teacher.budget import Budget
    from pipeline.teacher.endpoint import Address, open_endpoint
    from pipeline.teacher.ledger import Ledger
    from pipeline.teacher.pool import Pool, Terms
    from pipeline.teacher.prices import Price

    asked = drafter(count)
    requests = list(asked.requests(0, lambda key: None))
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        price = Price(0.0, 0.0)
        address = Address("rehearsal", url, "none")
        pool = Pool(open_endpoint(address), ledger, Budget(Caps(), price, ledger), price, Terms(in_flight=in_flight))

        async def all_of_them() -> None:
            try:
                await pool.ask(requests, lambda: None)
            finally:
                await pool.endpoint.close()

        run = _runner()
        begun, cpu = time.monotonic(), cpu_now()
        run(all_of_them())
        drafts = sum(isinstance(item, Draft) for item in asked.drafts(ledger.get))
        result = measured(begun, cpu, 0.0)
        assert ledger.replies() == count, ledger.replies()
        assert drafts == 5 * count, drafts
        return result | {"bytes_per_100k": (Path(folder) / "ledger.sqlite").stat().st_size * 100_000 // count}


def run_memory(url: str, in_flight: int, count: int) -> dict:
    """The pool alone over a stream of requests that nobody holds."""
    from pipeline.asking import _runner
    from pipeline.recipe import Budget as Caps
    from pipeline.teacher.budget import Budget
    from pipeline.teacher.endpoint import Address, open_endpoint
    from pipeline.teacher.ledger import Ledger
    from pipeline.teacher.pool import Pool, Terms
    from pipeline.teacher.prices import Price
    from pipeline.teacher.request import Request

    requests = (
        Request("document_questions", "m", "system", f"{number} " + "words " * 250, {"type": "object"}, 0.7, 8192)
        for number in range(count)
    )
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        price = Price(0.0, 0.0)
        endpoint = open_endpoint(Address("rehearsal", url, "none"))
        pool = Pool(endpoint, ledger, Budget(Caps(), price, ledger), price, Terms(in_flight=in_flight))

        async def all_of_them() -> None:
            try:
                await pool.ask(requests, lambda: None)
            finally:
                await pool.endpoint.close()

        run = _runner()
        begun, cpu = time.monotonic(), cpu_now()
        run(all_of_them())
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        return measured(begun, cpu, 0.0) | {"bytes_per_100k": size * 100_000 // count}


CLIENTS = {"bare": run_bare, "ours": run_ours, "memory": run_memory}


def pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def client(name: str, url: str, in_flight: int, count: int) -> dict:
    command = [sys.executable, __file__, "--client", name, url, str(in_flight), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def serving(latency: float):
    command = [sys.executable, "-m", "pipeline.teacher.rehearsal", "--fixed", "--latency", str(latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().split()[0]
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(server.pid, {sorted(os.sched_getaffinity(0))[1]})
    return server, url


HEAD = (
    "in flight", "latency s", "requests", "share of ideal, bare", "ours", "CPU ms a request, bare", "ours", "ratio",
    "rate to bare", "ours MB",
)  # fmt: skip


def table(scale: float) -> None:
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for in_flight, latency, full in CELLS:
        count = max(in_flight * 4, int(full * scale))
        server, url = serving(latency)
        try:
            client("bare", url, in_flight, in_flight)  # connections and caches of the endpoint
            pairs = [[client(name, url, in_flight, count) for name in ("bare", "ours")] for _ in range(ROUNDS)]
        finally:
            server.terminate()
            server.wait()
        print(f"| {' | '.join(row(in_flight, latency, count, pairs))} |", flush=True)


def row(in_flight: int, latency: float, count: int, pairs: list[list[dict]]) -> list[str]:
    def median(side: int, key: str) -> float:
        return statistics.median(pair[side][key] for pair in pairs)

    ideal = count * latency / in_flight
    ratio = statistics.median(ours["cpu"] / bare["cpu"] for bare, ours in pairs)
    rate = statistics.median(bare["phase"] / ours["phase"] for bare, ours in pairs)
    shares = [f"{ideal / median(side, 'phase'):.2f}" for side in (0, 1)]
    cpu = [f"{1000 * median(side, 'cpu') / count:.3f}" for side in (0, 1)]
    memory_mb = f"{median(1, 'rss_mb'):.0f}"
    return [str(in_flight), str(latency), str(count), *shares, *cpu, f"{ratio:.2f}", f"{rate:.2f}", memory_mb]


def memory() -> None:
    server, url = serving(0.0)
    try:
        for count in (10_000, 100_000):
            found = client("memory", url, 512, count)
            size = found["bytes_per_100k"] / 1e6
            print(
                f"{count:>7} replies at 512 in flight: {found['rss_mb']:.0f} MB,"
                f" {size:.0f} MB of ledger per 100,000 replies",
                flush=True,
            )
    finally:
        server.terminate()
        server.wait()


def start() -> None:
    for recipe in ("elon_musk", "communication"):
        bare = statistics.median(seconds_to_import() for _ in range(ROUNDS))
        ours = statistics.median(seconds_to_first_request(recipe) for _ in range(ROUNDS))
        print(f"{recipe}: first request after {ours:.2f} s; a bare `import openai` takes {bare:.2f} s")


def seconds_to_import() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import openai"], check=True)
    return time.monotonic() - begun


def seconds_to_first_request(recipe: str) -> float:
    """The endpoint here only notes when somebody first calls."""
    path = Path(__file__).parent.parent / "recipes" / f"{recipe}.yaml"
    with socket.create_server(("127.0.0.1", 0)) as listening, tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        environment = os.environ | {"OPENAI_API_KEY": "sk-benchmark", "OPENAI_BASE_URL": url}
        command = [sys.executable, "-m", "pipeline", "run", str(path), "--model", "m", "--out", folder]
        begun = time.monotonic()
        running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        connection, _ = listening.accept()
        seconds = time.monotonic() - begun
        running.kill()
        running.wait()
        connection.close()
        return seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--memory", action="store_true")
    options.add_argument("--start", action="store_true")
    options.add_argument("--client", nargs=4, metavar=("NAME", "URL", "IN_FLIGHT", "COUNT"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.client:
        pin(0)
        name, url, in_flight, count = chosen.client
        print(json.dumps(CLIENTS[name](url, int(in_flight), int(count))))
    elif chosen.memory:
        memory()
    elif chosen.start:
        start()
    else:
        table(0.1 if chosen.quick else 1.0)


if __name__ == "__main__":
    main()

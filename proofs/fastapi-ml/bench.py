"""Predictions by ours and by others: CPU of the server per prediction, throughput, p99, all in one run.

Run by `nox -s "bench(fastapi-ml)"`, which sets PROJECT (the generated project, installed), OURS (its Python) and PEERS
(the Python that has the peers; it runs this too). Servers are on the first core, who asks is on another. What counts is
the CPU that a server used, and ratios within the run; p99 is for information, since both share a machine.
"""

import asyncio
import itertools
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
PROJECT, OURS, PEERS = Path(os.environ["PROJECT"]), os.environ["OURS"], os.environ["PEERS"]
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402  the project's own

SECONDS = float(os.environ.get("SECONDS", "4"))
AT_ONCE = (1, 8, 64)
ROWS = {
    "forest": {"carrier": "UA", "origin": "EWR", "destination": "IAH", "weekday": "Fri", "hour": 17.5, "miles": 1400.0},
    "heavy": {"x": [0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8]},
}


def heavy(folder: Path) -> Path:
    """A dense network of 28 million parameters that takes eight numbers, and its card."""
    random = np.random.default_rng(1)
    sizes = [8, 768, *[3072, 768] * 6, 1]
    nodes, held, before = [], [], "x"
    for layer, (wide, next_) in enumerate(itertools.pairwise(sizes)):
        weights = (random.standard_normal((wide, next_)) * (2 / wide) ** 0.5).astype(np.float32)
        held.append(numpy_helper.from_array(weights, f"w{layer}"))
        last = layer == len(sizes) - 2
        nodes.append(helper.make_node("MatMul", [before, f"w{layer}"], ["y" if last else f"h{layer}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"h{layer}"], [f"r{layer}"]))
        before = f"r{layer}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph(nodes, "heavy", [x], [y], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    (file := folder / "heavy.onnx").write_bytes(model.SerializeToString())
    import onnxruntime  # noqa: PLC0415

    row = [ROWS["heavy"]["x"], [0.5] * 8]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (found,) = session.run(["y"], {"x": np.array(row, np.float32)})
    card = {
        "description": "A heavy network",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 8]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 1]}],
        "check": {"inputs": {"x": row}, "outputs": {"y": found.tolist()}, "tolerance": 0.001},
    }
    (folder / "heavy.json").write_text(json.dumps(card))
    return file


@dataclass
class Server:
    """One that runs: where to ask, how, and what it uses."""

    process: subprocess.Popen[bytes]
    port: int
    path: str = "/predict"
    wrap: str = ""
    key: str = ""

    def family(self) -> set[int]:
        """The process and all that descend from it; some of them make sessions of their own."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        found, before = {self.process.pid}, 0
        while len(found) > before:
            before = len(found)
            found |= {pid for pid, parent in parents.items() if parent in found}
        return found

    def cpu(self) -> int:
        """Nanoseconds that all threads of all its processes have run."""
        total = 0
        for pid in self.family():
            try:
                tasks = Path(f"/proc/{pid}/task").iterdir()
                total += sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
            except OSError:
                continue
        return total

    def request(self, row: dict[str, object]) -> bytes:
        """The bytes of a question."""
        body = json.dumps({self.wrap: [row]} if self.wrap else row).encode()
        key = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{key}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def started(command: list[str], settings: dict[str, str], **more: str) -> Iterator[Server]:
    """A server on a free port and the first core, which ends with all that it started."""
    port = servers.free_port()
    env = os.environ | {"PYTHONPATH": str(PROJECT), "PORT": str(port)} | settings
    command = ["taskset", "-c", "0", *(word.replace("PORT", str(port)) for word in command)]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 90
        while not servers.listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command} did not start")
            time.sleep(0.2)
        yield Server(process, port, **more)
    finally:
        for pid in Server(process, port).family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        time.sleep(1)


@contextmanager
def ours(model: str, file: Path, folder: Path) -> Iterator[Server]:
    """The generated project, with all its extras, as `serve` serves it."""
    settings = {
        "ENVIRONMENT": "development",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder}/{model}.sqlite3",
        "MODEL_FOLDER": str(folder / "models"),
        "LOG_LEVEL": "ERROR",
        "INFERENCE_THREADS": "1",
        "DEADLINE_SECONDS": "30",
    }

    def run(*arguments: str) -> str:
        command = [OURS, "-m", "app", *arguments]
        env = os.environ | settings
        return subprocess.run(command, cwd=PROJECT, env=env, check=True, capture_output=True, text=True).stdout.strip()

    run("migrate")
    run("register", model, str(file), "--card", str(file.with_suffix(".json")))
    run("promote", model, "1")
    key = run("keys", "add", "bench", "--per-minute", "10000000")
    with started([OURS, "-m", "app", "serve"], settings, path=f"/api/v1/models/{model}/predict", key=key) as server:
        yield server


@contextmanager
def peer(name: str, model: str, file: Path, _folder: Path) -> Iterator[Server]:
    """Somebody else's."""
    settings = {"KIND": name, "MODEL": model, "FILE": str(file), "BENTOML_DO_NOT_TRACK": "true"}
    if name == "bento":
        where = ["--port", "PORT", "--host", "127.0.0.1", "--working-dir", str(HERE / "peers")]
        command = [str(Path(PEERS).parent / "bentoml"), "serve", "bento:Service", *where]
        with started(command, settings, wrap="rows") as server:
            yield server
    else:
        program = HERE / "peers" / ("lit.py" if name == "lit" else "rest.py")
        with started([PEERS, str(program)], settings) as server:
            yield server


async def ask(server: Server, question: bytes, until: float, took: list[float], failed: list[int]) -> None:
    """One client: a question after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
        else:  # chunked
            while (size := int((await reader.readuntil(b"\r\n")).strip() or b"0", 16)) > 0:
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        if head[9:12] == b"200":
            took.append(time.perf_counter() - began)
        else:
            failed.append(int(head[9:12]))
            await asyncio.sleep(0.05)
    writer.close()


async def measure(server: Server, question: bytes, at_once: int) -> tuple[float, float, float, int]:
    """Predictions a second, microseconds of CPU for each, p99 in milliseconds, and how many failed."""
    warm: list[float] = []
    await asyncio.gather(*(ask(server, question, time.perf_counter() + 1.5, warm, []) for _ in range(at_once)))
    took, failed = list[float](), list[int]()
    before, began = server.cpu(), time.perf_counter()
    await asyncio.gather(*(ask(server, question, began + SECONDS, took, failed) for _ in range(at_once)))
    elapsed, used = time.perf_counter() - began, server.cpu() - before
    count = max(len(took), 1)
    return count / elapsed, used / count / 1000, sorted(took or [0.0])[int(0.99 * (count - 1))] * 1000, len(failed)


NAMES = {
    "null": "null endpoint, the floor",
    "naive": "`def`, scikit-learn",
    "onnx": "`def`, ONNX Runtime",
    "ours": "this, all extras",
    "lit": "LitServe 0.2.19, batches of 64, 2 ms",
    "bento": "BentoML 1.4.39, batchable",
}


def main() -> None:
    """Print the tables."""
    os.sched_setaffinity(0, {1} if (os.cpu_count() or 1) > 1 else {0})
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")
    only = sys.argv[1:] or list(NAMES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {"forest": PROJECT / "app" / "trained" / "forest.onnx", "heavy": heavy(folder)}
        for model, file in files.items():
            print(f"\n| {model} | " + " | ".join(f"{n} at once: /s | µs CPU | p99 ms" for n in AT_ONCE) + " |")
            print("|---|" + "---|" * 3 * len(AT_ONCE), flush=True)
            for kind in only:
                if kind == "naive" and model == "heavy":
                    continue
                cells = []
                try:
                    with ours(model, file, folder) if kind == "ours" else peer(kind, model, file, folder) as server:
                        time.sleep(2)
                        for at_once in AT_ONCE:
                            question = server.request(ROWS[model])
                            rate, cpu, p99, failed = asyncio.run(measure(server, question, at_once))
                            cells += [f"{rate:.0f}", f"{cpu:.0f}", f"{p99:.1f}"]
                            cells[-1] += f" ({failed} failed)" if failed else ""
                except (RuntimeError, OSError, asyncio.IncompleteReadError) as error:
                    cells.append(f"did not run: {error}")
                print(f"| {NAMES[kind]} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

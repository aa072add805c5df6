"""Try the suite's teeth on a server: `CONTRACT_SERVER=… python proofs/contract/mutants [-k words]`.

Each mutant stands before the server and breaks one rule. The suite as a whole is green with none, and what has to
notice a mutant is red with it. Without CONTRACT_SERVER the server in memory is started (../reference.py).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutants.proxy import Mutant, World, stand_before
from mutants.rules import MUTANTS, nothing

SUITE = Path(__file__).parents[3] / "contracts" / "stock" / "suite"


@contextmanager
def a_server() -> Iterator[dict[str, object]]:
    """The one that CONTRACT_SERVER describes, or the one in memory."""
    if said := os.environ.get("CONTRACT_SERVER"):
        yield json.loads(said)
        return
    reference = Path(__file__).parents[1] / "reference.py"
    with subprocess.Popen([sys.executable, str(reference)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.terminate()


def judge(server: dict[str, object], mutant: Mutant, words: str) -> subprocess.CompletedProcess[str]:
    """What of the suite has these words in its name, run on a mutant of a server."""
    world = World(dict(server))
    proxies = [stand_before(str(server[name]), mutant, world) for name in ("url", "limited_url")]
    urls = [f"http://127.0.0.1:{proxy.server_address[1]}" for proxy in proxies]
    said = json.dumps(dict(server) | {"url": urls[0], "limited_url": urls[1]})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(SUITE.parent),
        "--tb=line",
    ]
    # The suite asks a server; what a project's own tests are run with has no part in it.
    command += ["-p", "no:asyncio", "-p", "no:django"]
    command += [str(SUITE), *([] if server.get("full") else ["--ignore-glob=*test_full_*"])]
    command += ["-x", "-k", words] if words else []
    env = os.environ | {"CONTRACT_SERVER": said, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        # From there, since that is where the pattern of what is left out counts from.
        return subprocess.run(command, cwd=SUITE, env=env, capture_output=True, text=True, timeout=600, check=False)
    finally:
        for proxy in proxies:
            proxy.shutdown()
            proxy.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", default="", help="only mutants with these words")
    words = parser.parse_args().k
    started, missed = time.monotonic(), []
    with a_server() as server:
        chosen = {
            rule: how for rule, how in MUTANTS.items() if words in rule and (server.get("full") or "full:" not in rule)
        }
        if not words:
            found = judge(server, nothing, "")
            if found.returncode:
                sys.exit(f"The suite is red without any mutant:\n{found.stdout[-3000:]}{found.stderr[-3000:]}")
        with ThreadPoolExecutor(2) as threads:
            results = threads.map(lambda how: judge(server, how[1], how[0]), chosen.values())
            for rule, found in zip(chosen, results, strict=True):
                caught = found.returncode == 1 and " failed" in found.stdout
                missed += [] if caught else [rule]
                print(f"{'caught' if caught else 'MISSED':7} {rule}", flush=True)
                if not caught:
                    print(found.stdout[-800:], found.stderr[-800:], flush=True)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} mutants caught in {time.monotonic() - started:.0f} s")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()

"""Put into a generated project's tests: its own server, a mutant for each rule before it, and the suite to notice."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


def test_the_suite_notices_each_rule_that_this_server_would_break(contract_server: Mapping[str, Any]) -> None:
    env = os.environ | {"CONTRACT_SERVER": json.dumps(dict(contract_server))}
    done = subprocess.run([sys.executable, os.environ["MUTANTS"]], env=env, check=False)
    assert done.returncode == 0

"""What schemathesis makes of full.yaml, where it is more than core.yaml."""

from typing import Any

import hypothesis
import schemathesis

from . import contract
from .test_schema import CHECKS

ADDED = [name for name in contract.full().operations if name not in contract.core().operations]
ADDED += [name for name in contract.core().operations if name.startswith("list")]
SCHEMA = schemathesis.openapi.from_dict(contract.full().document).include(operation_id=ADDED)


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_what_schemathesis_makes_of_it(case: schemathesis.Case[Any], judged: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {judged['tokens']['writer']}"}
    response = case.call(base_url=judged["url"], headers=headers)
    case.validate_response(response, checks=CHECKS)
    assert response.headers.get("x-request-id")

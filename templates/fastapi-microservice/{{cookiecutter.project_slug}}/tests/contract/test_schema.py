"""What nobody thought of: requests that schemathesis makes from the contract, the same ones in each run."""

from typing import Any

import hypothesis
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

from . import contract

SCHEMA = schemathesis.openapi.from_dict(contract.core().document)
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
]


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_what_schemathesis_makes_of_it(case: schemathesis.Case[Any], judged: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {judged['tokens']['writer']}"}
    response = case.call(base_url=judged["url"], headers=headers)
    case.validate_response(response, checks=CHECKS)
    assert response.headers.get("x-request-id")

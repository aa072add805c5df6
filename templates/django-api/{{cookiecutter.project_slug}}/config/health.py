"""The probes, answered before the host check and the redirect to HTTPS: whoever asks knows no host name."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer `/livez` as long as the process does, and `/readyz` when the database is as the code wants it."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path == "/livez":
            return JsonResponse({"status": "alive"})
        if request.path == "/readyz":
            checks = {"database": database()}
            ready = set(checks.values()) == {"ok"}
            return JsonResponse(
                {"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503
            )
        return get_response(request)

    return answer


def database() -> str:
    """`ok` when it answers and has every migration of the code; one that it has beyond them does no harm."""
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        connection.close()
        return "does not answer"
    return "lacks migrations" if plan else "ok"

"""The probes, answered before the host check and the redirect to HTTPS."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer `/livez` as long as the process does, `/readyz` when the database is as the code wants it."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path == "/livez":
            return JsonResponse({"status": "alive"})
        if request.path == "/readyz":
            ready = is_ready()
            return JsonResponse({"status": "ready" if ready else "not ready"}, status=200 if ready else 503)
        return get_response(request)

    return answer


def is_ready() -> bool:
    """Whether the database answers, and has every migration."""
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False

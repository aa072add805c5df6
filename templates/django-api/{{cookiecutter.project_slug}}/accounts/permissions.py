"""Who may do what: each operation names the scope that it needs. What is whose is for the services to know."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class HasScope(BasePermission):
    """A caller whose token has the scope of the operation. A view that names none is for nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuses who lacks the scope with 403 (RFC 6750). Who is not known did not come so far."""
        if request.method not in view.allowed_methods:  # no such method: 405, and no scope for it
            return True
        handler = getattr(view, str(request.method).lower())
        scope = getattr(getattr(handler, "operation", None), "scope", None)
        if scope in view.caller.scopes:
            return True
        refused = PermissionDenied()
        refused.auth_header = f'Bearer error="insufficient_scope", scope="{scope}"'  # type: ignore[attr-defined]
        raise refused

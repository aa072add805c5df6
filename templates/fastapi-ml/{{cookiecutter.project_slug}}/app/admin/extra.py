"""Admin: the registry over HTTP, for keys of that scope."""

from app.admin.routes import router
from app.extras import Extra

extra = Extra(router=router)

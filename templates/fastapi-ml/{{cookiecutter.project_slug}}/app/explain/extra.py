"""Explain: what each input contributed to a prediction."""

from app.explain.routes import router
from app.extras import Extra

extra = Extra(router=router)

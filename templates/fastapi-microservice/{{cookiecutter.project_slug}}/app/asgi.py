"""The application as servers and `fastapi dev` import it."""

from app.main import create_app

app = create_app()

"""Imports are done beside the request."""

from django.tasks import task

from importer import services


@task
def carry_out(asked: int) -> None:
    """What somebody has uploaded."""
    services.carry_out(asked)

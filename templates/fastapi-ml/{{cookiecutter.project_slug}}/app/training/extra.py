"""Training: the example's two models, made anew from the flights that travel with it."""

from pathlib import Path
from typing import Annotated

import typer

from app.extras import Extra

commands = typer.Typer()


@commands.command()
def train(
    into: Annotated[Path, typer.Option(help="Where the models and their cards are written.")] = Path("private/trained"),
) -> None:
    """Train both models, judge them, and export them with their cards. Needs the group `train`."""
    from app.training import fit  # noqa: PLC0415  only this command needs scikit-learn

    for name, metrics in fit.train(into).items():
        typer.echo(f"{name}: " + ", ".join(f"{what.replace('_', ' ')} {value}" for what, value in metrics.items()))
        typer.echo(f"    uv run python -m app register departure-delay {into / name}.onnx --card {into / name}.json")


extra = Extra(commands=commands)

"""The example: flights that left New York in 2013, and what is known of one when it is booked."""

import csv
import gzip
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.inference.cards import Input

EXTRACT = Path(__file__).parent / "departures.csv.gz"
# What is before is learned from, what is after is foretold. The month itself is no feature: nobody who learns from
# January to August has ever seen an October.
SPLIT = date(2013, 9, 1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COLUMNS = ("carrier", "origin", "destination", "weekday", "hour", "miles")
CATEGORIES = COLUMNS[:4]


@dataclass(frozen=True)
class Flights:
    """Flights in the order of time: a row of `COLUMNS` each, and whether it left more than 15 minutes late."""

    rows: list[list[str | float]]
    late: list[int]

    def column(self, name: str) -> list[str | float]:
        """One thing of all of them."""
        return [row[COLUMNS.index(name)] for row in self.rows]


def read() -> tuple[Flights, Flights]:
    """Those before the split and those from it on."""
    before, after = Flights([], []), Flights([], [])
    for line in csv.DictReader(io.StringIO(gzip.decompress(EXTRACT.read_bytes()).decode())):
        day = date.fromisoformat(line["date"])
        hours, minutes = divmod(int(line["departs"]), 100)
        part = before if day < SPLIT else after
        known: list[str | float] = [line["carrier"], line["origin"], line["destination"], WEEKDAYS[day.weekday()]]
        part.rows.append([*known, hours + minutes / 60, float(line["miles"])])
        part.late.append(int(line["late"]))
    return before, after


def inputs(flights: Flights) -> list[Input]:
    """What a model of flights takes. The categories are those of the timetable, which is known when one books."""
    words = {
        "carrier": "The airline's two letters, as IATA gives them",
        "origin": "The airport that it leaves from",
        "destination": "The airport that it goes to",
        "weekday": "The day on which it leaves",
    }
    known = [
        Input(
            name=name,
            datatype="BYTES",
            shape=[-1, 1],
            description=text,
            categories=list(WEEKDAYS) if name == "weekday" else sorted(map(str, set(flights.column(name)))),
        )
        for name, text in words.items()
    ]
    hour = "When it is to leave by the timetable: 17.5 is half past five"
    far = "How far it is"
    return [
        *known,
        Input(name="hour", datatype="FP32", shape=[-1, 1], description=hour, unit="hours", minimum=0, maximum=24),
        Input(name="miles", datatype="FP32", shape=[-1, 1], description=far, unit="miles", minimum=50, maximum=5000),
    ]

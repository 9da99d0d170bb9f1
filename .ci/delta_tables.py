"""Writes Delta tables of many shapes, and what the package itself reads of them, as `tables.json`.

Rows are texts with bars between the cells, `∅` for a missing value, in the forms in which the tests
print them.
"""

import datetime
import decimal
import json
import sys

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

folder = sys.argv[1]
tables = []


def text(value):
    if value is None:
        return "∅"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        zone = "Z" if value.tzinfo else ""
        fraction = f".{value.microsecond:06}" if value.microsecond else ""
        if fraction.endswith("000"):
            fraction = fraction[:-3]
        return value.strftime("%Y-%m-%dT%H:%M:%S") + fraction + zone
    if isinstance(value, float):
        return repr(value).replace("e+", "e")
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def note(name, columns, version=None):
    path = f"{folder}/{name}"
    table = DeltaTable(path, version=version)
    rows = table.to_pyarrow_table().to_pylist()
    lines = ["|".join(text(row[column]) for column in columns) for row in rows]
    tables.append({"path": path, "version": version, "columns": columns, "rows": lines})


utc = datetime.timezone.utc
people = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int64()),
        "name": pa.array(["Zoé", None, "", "O'Hara"]),
        "small": pa.array([1, -1, None, 127], pa.int8()),
        "score": pa.array([0.5, -1.25, None, 1e300], pa.float64()),
        "price": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-9.99"), decimal.Decimal("0.01")], pa.decimal128(10, 2)),
        "vip": pa.array([True, False, None, True]),
        "born": pa.array([datetime.date(1970, 1, 1), None, datetime.date(2004, 2, 29), datetime.date(1899, 12, 31)]),
        "seen": pa.array(
            [datetime.datetime(2026, 1, 31, 10, 0, 0, 123456, utc), None, datetime.datetime(1969, 12, 31, 23, 59, 59, 0, utc), datetime.datetime(2026, 6, 1, tzinfo=utc)],
            pa.timestamp("us", "UTC"),
        ),
        "country": pa.array(["FR", "BE", None, "FR / Île"]),
        "photo": pa.array([b"\x00\xff", None, b"", b"x"]),
    }
)
names = people.column_names

# Append, overwrite, delete, update, and every version of it.
path = f"{folder}/history"
write_deltalake(path, people)
write_deltalake(path, people.slice(0, 2), mode="append")
table = DeltaTable(path)
table.delete("id = 1")
table.update(updates={"name": "'renamed'"}, predicate="id = 2")
write_deltalake(path, people.slice(2), mode="overwrite")
for version in range(5):
    note("history", names, version)
note("history", names)

# Partitions, of texts with signs that paths cannot hold, of dates and of numbers.
by = ["country", "born", "small", "vip", "seen"]
write_deltalake(f"{folder}/partitioned", people, partition_by=by)
write_deltalake(f"{folder}/partitioned", people.slice(1, 2), mode="append", partition_by=by)
note("partitioned", names)

# Columns that were added later.
path = f"{folder}/evolved"
write_deltalake(path, people.select(["id", "name"]))
write_deltalake(path, people, mode="append", schema_mode="merge")
note("evolved", names)

# Checkpoints, with commits behind them, and a cleaned up log.
path = f"{folder}/checkpointed"
for number in range(8):
    write_deltalake(path, people.slice(number % 4, 1), mode="append", partition_by=["country"])
DeltaTable(path).create_checkpoint()
write_deltalake(path, people, mode="append", partition_by=["country"])
DeltaTable(path).delete("id = 3")
note("checkpointed", names)
note("checkpointed", names, 8)

# Compaction, and what it replaced removed.
path = f"{folder}/compacted"
for number in range(4):
    write_deltalake(path, people.slice(number, 1), mode="append")
table = DeltaTable(path)
table.optimize.compact()
table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
note("compacted", names)

# Nothing in it.
write_deltalake(f"{folder}/empty", people.slice(0, 0))
note("empty", names)

with open(f"{folder}/tables.json", "w", encoding="utf-8") as out:
    json.dump(tables, out, ensure_ascii=False)
print(f"{len(tables)} tables and versions of tables are written")

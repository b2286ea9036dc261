"""Reads a folder of sessions as one table with DuckDB and with Polars, and prints both as JSON."""

import json
import sys

import duckdb
import polars

folder = json.load(sys.stdin)
KEYS = ["study", "participant", "session", "stream", "field", "seq"]
COLUMNS = KEYS + ["unit", "time_ns", "frame", "value"]


def read(table):
    pattern = f"{folder}/{table}/**/*.parquet"
    with_duckdb = duckdb.sql(f"SELECT * FROM read_parquet('{pattern}', hive_partitioning = true)")
    return with_duckdb, polars.scan_parquet(pattern, hive_partitioning=True)


def rows(table, columns, order):
    a, b = read(table)
    a = a.order(", ".join(order)).project(", ".join(columns)).fetchall()
    b = b.sort(order).select(columns).collect().rows()
    return {"duckdb": [list(r) for r in a], "polars": [list(r) for r in b]}


by_time = ["study", "participant", "session", "time_ns", "stream", "seq"]
sessions = duckdb.sql(f"SELECT * FROM '{folder}/sessions.parquet' ORDER BY participant, session")
json.dump(
    {
        "samples": rows("samples", COLUMNS, KEYS),
        "events": rows("events", by_time + ["kind", "data_json"], by_time),
        "gaps": rows("gaps", by_time + ["until_ns", "reason", "lost"], by_time),
        "sessions": [dict(zip(sessions.columns, row)) for row in sessions.fetchall()],
    },
    sys.stdout,
)

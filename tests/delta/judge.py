#!/usr/bin/env python3
"""judge.py DELTA_TABLES: has the program write its tables into a fresh directory and compares every row that delta-rs and, for the
files alone, pyarrow (page CRCs checked) and DuckDB give with what was written."""
import collections
import datetime
import decimal
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import deltalake
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import bounds

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def instant(text):
    date, clock = text.rstrip("Z").split("T")
    clock, _, fraction = clock.partition(".")
    moment = datetime.datetime.fromisoformat(f"{date}T{clock}+00:00")
    return (moment - EPOCH) // MICROSECOND + int(fraction.ljust(6, "0") or 0)


def canonical(value, kind):
    """One form for a value, whether it comes from our JSON text or from a reader."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        return tuple(canonical(item, kind.value_type) for item in value)
    if pa.types.is_struct(kind):
        return tuple(canonical(value.get(field.name), field.type) for field in kind)
    if pa.types.is_timestamp(kind):
        return instant(value) if isinstance(value, str) else (value - EPOCH) // MICROSECOND
    if pa.types.is_date(kind):
        return (value if isinstance(value, str) else value.isoformat()).zfill(10)
    if pa.types.is_decimal(kind):
        return str(decimal.Decimal(value))
    if pa.types.is_floating(kind):
        return "NaN" if math.isnan(float(value)) else float(value)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return value.encode() if isinstance(value, str) else bytes(value)
    return value


def expected_rows(path, schema):
    rows = collections.Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = re.sub(r"(?<=[:\[,])(-?)inf\b", r"\1Infinity", re.sub(r"(?<=[:\[,])-?nan\b", "NaN", line))
            row = json.loads(line, parse_float=decimal.Decimal, parse_constant=float)
            rows[tuple(canonical(row.get(field.name), field.type) for field in schema)] += 1
    return rows


def table_rows(table):
    rows = collections.Counter()
    for row in table.to_pylist():
        rows[tuple(canonical(row[field.name], field.type) for field in table.schema)] += 1
    return rows


def plain(kind):
    """The type without the reader's choice of layout."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, plain(field.type)) for field in kind])
    return kind


def indexed(file):
    metadata = pq.read_metadata(file)
    chunks = [metadata.row_group(group).column(i) for group in range(metadata.num_row_groups) for i in range(metadata.num_columns)]
    return all(chunk.has_offset_index and chunk.has_column_index for chunk in chunks)


def judge(folder, name):
    path = os.path.join(folder, name)
    delta = deltalake.DeltaTable(path)
    table = pa.table(deltalake.QueryBuilder().register("t", delta).execute("select * from t"))
    table = table.cast(pa.schema([pa.field(field.name, plain(field.type)) for field in table.schema]))
    want = expected_rows(path + ".json", table.schema)
    got = table_rows(table)
    if want != got:
        print(f"{name}: delta-rs differs: missing {list((want - got).items())[:3]}, not ours {list((got - want).items())[:3]}")
        return False
    files = [os.path.join(path, found) for found in glob.glob("**/*.parquet", root_dir=path, recursive=True)
             if not found.startswith("_")]
    rows = sum(pq.read_table(file, page_checksum_verification=True, partitioning=None).num_rows for file in files)
    counted = duckdb.sql(f"select count(*) from read_parquet({files!r}, hive_partitioning=false, union_by_name=true)").fetchall()[0][0]
    if rows != table.num_rows or counted != table.num_rows:
        print(f"{name}: delta-rs has {table.num_rows} rows, pyarrow {rows}, DuckDB {counted}")
        return False
    print(f"{name}: {table.num_rows} rows in {len(files)} files, version {delta.version()}")
    if name == "paged" and not all(indexed(file) for file in files):
        print(f"{name}: a column without a page index")
        return False
    return bounds.hold(path) and (name not in ("bounds", "paged") or bounds.hide_nothing(path))


def prune(path, before):
    """Leaves only what the newest checkpoint and what follows it need."""
    for file in os.listdir(os.path.join(path, "_delta_log")):
        if file[:20].isdigit() and int(file[:20]) < before:
            os.remove(os.path.join(path, "_delta_log", file))


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True, stdout=subprocess.DEVNULL)
        prune(os.path.join(folder, "pruned"), 30)
        names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".json"))
        return 0 if all([judge(folder, name) for name in names]) and names else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

#!/usr/bin/env python3
"""judge.py DELTA_TABLES SFRUN_TABLE DATA: `sfrun table` reads tables that the sink wrote, and those of delta-rs and Spark in DATA, as
delta-rs, polars and DuckDB do: all rows, counts and conditions, in every version."""
import base64
import collections
import decimal
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

import deltalake
import duckdb
import polars
import pyarrow as pa

sys.dont_write_bytecode = True
SILVER = pathlib.Path(__file__).resolve().parents[1] / "delta"
sys.path.insert(0, str(SILVER))
SPEC = importlib.util.spec_from_file_location("silver_judge", SILVER / "judge.py")
silver = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(silver)


def decoded(value, kind):
    """Bytes of what is base64 in JSON."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        return [decoded(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: decoded(value.get(field.name), field.type) for field in kind}
    return base64.b64decode(value) if pa.types.is_binary(kind) else value


class Judge:
    def __init__(self, program, path):
        self.program, self.path, self.faults = program, path, []

    def run(self, *words):
        done = subprocess.run([self.program, self.path, *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode:
            self.faults.append(f"{words}: {done.stderr}")
        return done.stdout

    def rows(self, schema, *words):
        counter = collections.Counter()
        for line in self.run("--json", "--rows", 10**9, *words).splitlines():
            row = json.loads(line, parse_float=decimal.Decimal)
            counter[tuple(silver.canonical(decoded(row[field.name], field.type), field.type) for field in schema)] += 1
        return counter

    def expect(self, what, got, want):
        if got != want:
            self.faults.append(f"{what}: {got!r:.300}, but {want!r:.300}")


def read(path, version=None):
    delta = deltalake.DeltaTable(path, version=version)
    table = pa.table(deltalake.QueryBuilder().register("t", delta).execute("select * from t"))
    return table.cast(pa.schema([pa.field(field.name, silver.plain(field.type)) for field in table.schema]))


def literal(value):
    text = str(value).replace("'", "''")
    return text if isinstance(value, (int, float, decimal.Decimal)) else f"'{text}'"


def conditions(table, dice):
    """(as sfrun has it, as DuckDB has it), with values out of the rows and near them."""
    simple = [field.name for field in table.schema
              if pa.types.is_integer(field.type) or pa.types.is_decimal(field.type) or pa.types.is_date(field.type) or
              pa.types.is_string(field.type) or pa.types.is_floating(field.type)]
    for _ in range(6 if simple and table.num_rows else 0):
        terms = []
        for name in dice.sample(simple, min(len(simple), dice.randint(1, 2))):
            value = table.column(name)[dice.randrange(table.num_rows)].as_py()
            quoted = '"' + name.replace('"', '""') + '"'
            odd = isinstance(value, float) and (value != value or abs(value) == float("inf"))
            if value is None or odd or dice.random() < 0.1 or (isinstance(value, str) and any(ord(c) < 32 for c in value)):
                terms.append(f"{quoted} IS {dice.choice(['', 'NOT '])}NULL")
            elif dice.random() < 0.3:
                other = table.column(name)[dice.randrange(table.num_rows)].as_py()
                others = [literal(value)] + [literal(other)] * (type(other) is type(value) and str(other).isprintable() and
                                                                str(other) not in ("nan", "inf", "-inf"))
                word = dice.choice(["", "NOT "])
                terms.append(f"{quoted} {word}BETWEEN {others[0]} AND {others[-1]}" if dice.random() < 0.5
                             else f"{quoted} {word}IN ({', '.join(others)})")
            else:
                terms.append(f"{quoted} {dice.choice(['=', '!=', '<', '<=', '>', '>='])} {literal(value)}")
            terms[-1] = dice.choice(["", "", "NOT "]) + terms[-1]
        pair = dice.choice([" AND ", " OR "]).join(terms)
        yield dice.choice([pair, f"NOT ({pair})"])


def judge(program, path, dice, version=None):
    judged = Judge(program, path)
    words = [] if version is None else ["--version", version]
    table = read(path, version)
    judged.expect("rows", judged.rows(table.schema, *words), silver.table_rows(table))
    judged.expect("count", judged.run("--count", *words).strip(), str(table.num_rows))
    if "v2Checkpoint" not in (deltalake.DeltaTable(path).protocol().reader_features or []):  # polars refuses those
        judged.expect("polars", polars.scan_delta(path, version=version).select(polars.len()).collect().item(), table.num_rows)
    for condition in conditions(table, dice):
        want = duckdb.sql(f"select count(*) from \"table\" where {condition}").fetchall()[0][0]
        judged.expect(condition, judged.run("--count", "--where", condition, *words).strip(), str(want))
    for fault in judged.faults:
        print(f"{path} {words}: {fault}")
    print(f"{os.path.basename(path)} {words}: {table.num_rows} rows")
    return not judged.faults


def judge_care(program, path):
    """After optimize, and after what that has left is deleted, delta-rs has the rows that were written."""
    for words in (["optimize", path], ["vacuum", path, "--retention", "0s", "--force"]):
        done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        table = read(path)
        if done.returncode or silver.table_rows(table) != silver.expected_rows(path + ".json", table.schema):
            print(f"{words}: {table.num_rows} rows\n{done.stdout}{done.stderr}")
            return False
    return silver.bounds.hold(path)


def judge_vectors(program, path):
    """Which delta-rs does not read: Spark deleted every tenth of 1,000."""
    judged = Judge(program, path)
    schema = pa.schema([("id", pa.int64())])
    got = sorted(row[0] for row in judged.rows(schema, "--columns", "id"))
    judged.expect("ids", got, [number for number in range(1000) if number % 10])
    judged.expect("count", judged.run("--count").strip(), "900")
    judged.expect("where", judged.run("--count", "--where", "id < 100").strip(), "90")
    judged.expect("before", judged.run("--count", "--version", 1).strip(), "1000")
    for fault in judged.faults:
        print(f"{path}: {fault}")
    return not judged.faults


def main(writer, program, data):
    seed = int(os.environ.get("SF_SEED", random.randrange(2**31)))
    print(f"SF_SEED={seed}")
    dice, good = random.Random(seed), True
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([writer, folder], check=True, stdout=subprocess.DEVNULL)
        names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".json"))
        with tarfile.open(data) as archive:
            archive.extractall(folder, filter="data")
        for name in names:
            path = os.path.join(folder, name)
            good &= judge(program, path, dice)
            good &= judge_care(program, path)
        for name in ["rs/plain", "rs/types"]:
            versions = deltalake.DeltaTable(os.path.join(folder, name)).version()
            for version in [None, *range(0, versions + 1, 3)]:
                good &= judge(program, os.path.join(folder, name), dice, version)
        good &= all([judge_vectors(program, os.path.join(folder, name)) for name in ["sp/dv", "sp4/dv"]])
    return 0 if good and names else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

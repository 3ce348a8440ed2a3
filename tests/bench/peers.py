"""The bench behind tests/bench/peers: JSON files to a table of typed columns, and Kafka to JSON files, by sfrun and by its peers."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import duckdb  # noqa: E402
from measure import cell, in_turn, machine, median, table, timed  # noqa: E402
from testbed import Kafka, Sales, Sfrun  # noqa: E402
from testbed.server import cache, installed, versions  # noqa: E402

LINES_PER_FILE, PARTITIONS = 10000, 3
PEER = Path(__file__).with_name("peer.py")

FILES_TO_DELTA = """
pipeline: peers
checkpoint: 1h
steps:
  lines: {source: file-source, path: IN}
DECODE
  table: {sink: delta-silver-sink, from: sales, url: "file://OUT"}
"""
KAFKA_TO_FILES = """
pipeline: peers
steps:
  events: {source: kafka-source, brokers: "BROKERS", topics: [sales], group: GROUP}
  files:
    sink: s3-bronze-sink
    from: events
    url: file://OUT
    format: raw
    format.bytearray.extension: .json
    flush.size: 10000
"""


def decode_step():
    """The types are those of pipelines/sales.yaml; where a peer has no decimals in its JSON reader, it reads doubles."""
    text = (ROOT / "pipelines" / "sales.yaml").read_text()
    begin, end = text.index("  sales:\n"), text.index("  silver:\n")
    return text[begin:end].replace("from: events", "from: lines")


def spark_jars():
    pinned = versions()
    name = f"spark-{pinned['SPARK_VERSION']}-delta-{pinned['DELTA_VERSION']}"
    return f"{installed(cache() / name)}/*"


class Peers:
    def __init__(self, options, directory):
        self.options, self.directory, self.count = options, Path(directory), 0
        self.sfrun = Sfrun(os.environ.get("SF_RELEASE", ROOT / "build" / "release"))
        self.input = self.directory / "in"
        self.kafka = None
        self.write_lines()

    def events(self):
        return Sales(self.options.rows, seed=1, broken=0, span_ms=100_000).messages()

    def write_lines(self):
        self.input.mkdir()
        file = None
        for number, message in enumerate(self.events()):
            if number % LINES_PER_FILE == 0:
                if file:
                    file.close()
                file = open(self.input / f"part-{number // LINES_PER_FILE:05}.json", "wb")
            file.write(message["value"] + b"\n")
        file.close()

    def broker(self):
        if not self.kafka:
            self.kafka = Kafka(self.directory / "kafka").start()
            self.kafka.create_topic("sales", PARTITIONS)
            self.kafka.produce("sales", self.events())
        return self.kafka.brokers

    def workspace(self):
        self.count += 1
        directory = self.directory / f"run{self.count}"
        directory.mkdir()
        return directory

    def finish(self, run, directory, count):
        rows = duckdb.sql(count).fetchall()[0][0]
        if rows != self.options.rows:
            raise RuntimeError(f"{rows} rows of {self.options.rows} in {directory}\n" + "\n".join(line for _, line in run["said"][-20:]))
        if not self.options.keep:
            shutil.rmtree(directory)
        return {"seconds": run["wall"], "cpu": run["cpu"], "peak": run["peak"]}

    def ours(self, text, out):
        directory = out.parent
        (directory / "peers.yaml").write_text(text.replace("OUT", str(out)).replace("GROUP", f"peers-{self.count}"))
        env = self.sfrun.environment({"XDG_RUNTIME_DIR": directory, "XDG_STATE_HOME": directory / "state"})
        return timed([self.sfrun.binary, "peers.yaml", "--once"], directory, env)

    def peer(self, python, name, *arguments, env=None):
        return timed([python, PEER, name, *map(str, arguments)], self.directory, {**os.environ, **(env or {})})

    def files_sfrun(self):
        out = self.workspace() / "table"
        text = FILES_TO_DELTA.replace("DECODE", decode_step()).replace("IN", str(self.input))
        return self.finish(self.ours(text, out), out.parent, f"SELECT count(*) FROM '{out}/**/*.parquet'")

    def files_peer(self, name, python=sys.executable, env=None):
        out = self.workspace() / "table"
        out.mkdir()
        run = self.peer(python, name, self.input, out, env=env)
        return self.finish(run, out.parent, f"SELECT count(*) FROM '{out}/**/*.parquet'")

    def kafka_sfrun(self):
        text = KAFKA_TO_FILES.replace("BROKERS", self.broker())
        out = self.workspace() / "files"
        return self.finish(self.ours(text, out), out.parent, f"SELECT count(*) FROM read_json_objects('{out}/**/*+*.json', format = 'newline_delimited')")

    def kafka_bytewax(self, python):
        brokers = self.broker()
        out = self.workspace() / "files"
        out.mkdir()
        run = self.peer(python, "bytewax-files", brokers, out)
        return self.finish(run, out.parent, f"SELECT count(*) FROM read_json_objects('{out}/*.json', format = 'newline_delimited')")

    def jobs(self):
        others = installed(cache() / "peers" / "bin" / "python")
        return {
            "files → Delta: sfrun": self.files_sfrun,
            "files → Delta: polars": lambda: self.files_peer("polars-delta"),
            "files → Delta: pyarrow, delta-rs": lambda: self.files_peer("pyarrow-delta"),
            "files → Delta: Sail": lambda: self.files_peer("sail-delta", others),
            "files → Delta: Spark": lambda: self.files_peer("spark-delta", env={"SF_SPARK_JARS": spark_jars()}),
            "files → Parquet: polars": lambda: self.files_peer("polars-parquet"),
            "files → Parquet: DuckDB": lambda: self.files_peer("duckdb-parquet"),
            "Kafka → files: sfrun": self.kafka_sfrun,
            "Kafka → files: bytewax": lambda: self.kafka_bytewax(others),
        }


def rows_of(found, rows):
    """Each peer beside sfrun at the same kind of job: how often its CPU and memory."""
    ours = {}
    for label, runs in found.items():
        job, name = label.split(": ")
        source = job.split(" → ")[0]
        ours.setdefault(source, runs if name == "sfrun" else None)
        first = ours[source]
        cpu, peak = median(runs, "cpu"), median(runs, "peak")
        yield {"job": job, "by": name, "rows/s": cell(rows / median(runs, "seconds"), "{:,.0f}"), "CPU µs/row": cell(cpu / rows * 1e6, "{:.2f}"),
               "CPU × sfrun": cell(cpu / median(first, "cpu") if first else None, "{:.1f}"), "peak RSS MiB": cell(peak, "{:.0f}"),
               "RSS × sfrun": cell(peak / median(first, "peak") if first else None, "{:.1f}")}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/peers", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="the jobs whose names contain this text, and sfrun's")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave inputs and outputs")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="streamforge-peers-")
    bench = None
    try:
        bench = Peers(options, directory)
        jobs = {label: job for label, job in bench.jobs().items() if options.only.lower() in label.lower() or label.endswith(": sfrun")}
        found, clock = in_turn(jobs, options.runs)
        if options.json:
            print(json.dumps(found, indent=1))
        else:
            print(f"{options.rows:,} rows, {PARTITIONS} partitions; median of {options.runs}; {machine(clock)}\n")
            print(table(list(rows_of(found, options.rows))))
    finally:
        if bench and bench.kafka:
            bench.kafka.stop()
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)


main()

"""The bench behind tests/bench/run: floors, each layer alone, all three together, in turn and several times."""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from measure import cell, in_turn, machine, median, table, timed  # noqa: E402
from testbed import S3, Kafka, Sales, Sfrun  # noqa: E402

PARTITIONS = 3
LINES_PER_FILE = 10000
COMMIT = 100_000
LAYERS_FLOOR = "floor: three layers"
UPSERT_FLOOR, GOLD_SINK = "floor: upsert (SQLite)", "the gold sink by itself"

STEPS = {"bronze": ["events", "bronze"], "silver": ["events", "sales", "silver"], "gold": ["events", "sales", "gold"],
         "all": ["events", "bronze", "sales", "silver", "gold"]}


def pipeline(layer):
    """pipelines/sales.yaml with the steps of one layer; there are no rejects in the bench's events."""
    text = (ROOT / "pipelines" / "sales.yaml").read_text()
    head, body = text.split("steps:\n")
    steps = dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n|  #.*\n)*)", body, re.MULTILINE))
    chosen = "".join(f"  {name}:\n{steps[name]}" for name in STEPS[layer])
    return head.replace("pipeline: sales", f"pipeline: bench_{layer}") + "steps:\n" + chosen


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory = options, Path(directory)
        self.sfrun = Sfrun(os.environ.get("SF_RELEASE", ROOT / "build" / "release"))
        self.kafka = Kafka(self.directory / "kafka").start()
        self.s3 = S3(self.directory / "s3").start() if options.s3 else None
        if self.s3:
            self.s3.bucket("bench")
        self.kafka.create_topic("sales", PARTITIONS)
        self.kafka.produce("sales", Sales(options.events, seed=1, broken=0, span_ms=100_000).messages())
        self.count = 0

    def workspace(self):
        self.count += 1
        directory = self.directory / f"run{self.count}"
        directory.mkdir()
        return directory

    def floor(self, *arguments):
        directory = self.workspace()
        command = [self.sfrun.build / "tests" / "bench" / "floor", self.kafka.brokers, "sales", str(self.options.events), *arguments]
        run = timed(command, directory)
        own = json.loads(run["said"][-1][1])
        shutil.rmtree(directory)
        return {"seconds": own["first"] + own["seconds"], "cpu": own["cpu"], "peak": run["peak"]}

    def layer(self, layer):
        directory = self.workspace()
        (directory / "bench.yaml").write_text(pipeline(layer))
        where = f"s3://bench/run{self.count}" if self.s3 else f"file://{directory}"
        env = self.sfrun.environment({
            "KAFKA_BROKERS": self.kafka.brokers, "SALES_TOPIC": "sales", "SALES_GROUP": f"bench-{self.count}", "XDG_RUNTIME_DIR": directory,
            "BRONZE_URL": f"{where}/raw", "SILVER_URL": f"{where}/silver", "GOLD_CONNECTION": f"Driver=SQLite3;Database={directory}/gold.db",
            **(self.s3.client_environment() if self.s3 else {})})
        run = timed([self.sfrun.binary, "bench.yaml", "--once"], directory, env)
        result = {"seconds": run["wall"], "cpu": run["cpu"], "peak": run["peak"], "first poll": self.moment(run, r"assigned"),
                  "first commit": self.first_commit(directory, run["begin"], layer)}
        if not self.options.keep:
            shutil.rmtree(directory)
        return result

    def upserts(self, program, *arguments):
        """CPU of a program that does nothing but upsert the events into a new SQLite file, and says so in JSON."""
        directory = self.workspace()
        env = {**self.sfrun.environment({}), "SF_PLUGIN_PATH": str(self.sfrun.build / "plugins" / "snowflake-gold-sink")}
        run = timed([self.sfrun.build / "tests" / "bench" / program, *arguments], directory, env)
        shutil.rmtree(directory)
        return {"seconds": None, "cpu": json.loads(run["said"][-1][1])["cpu"], "peak": run["peak"]}

    @staticmethod
    def moment(run, pattern):
        return next((moment for moment, line in run["said"] if re.search(pattern, line)), None)

    def first_commit(self, directory, begin, layer):
        """The oldest thing that a reader could see: a bronze object, Delta version with rows; gold has no such witness."""
        root = (self.s3.data / "bench" / directory.name) if self.s3 else directory
        seen = [*(root / "raw").rglob("*+*.json"), *(root / "silver" / "_delta_log").glob("*1.json")]
        return min(path.stat().st_mtime for path in seen) - begin if seen else None


def row(label, runs, events):
    cpu = median(runs, "cpu") / events * 1e6
    seconds = median(runs, "seconds")
    return {"what": label, "msgs/s": cell(events / seconds if seconds else None, "{:,.0f}"), "CPU µs/event": cell(cpu, "{:.2f}"),
            "min–max": "–".join(f"{value / events * 1e6:.2f}" for value in (min(r["cpu"] for r in runs), max(r["cpu"] for r in runs))),
            "peak RSS MiB": cell(median(runs, "peak"), "{:.0f}"),
            "first poll s": cell(median(runs, "first poll"), "{:.3f}"), "first commit s": cell(median(runs, "first commit"), "{:.3f}")}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", nargs="*", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--s3", action="store_true", help="bronze and silver on the S3 server instead of local files")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the outputs")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="streamforge-bench-")
    try:
        bench = Bench(options, directory)
        jobs = {"floor: consume": lambda: bench.floor(), "floor: consume, write files": lambda: bench.floor(".", str(LINES_PER_FILE))}
        if "all" in options.layers:
            jobs[LAYERS_FLOOR] = lambda: bench.floor(".", str(LINES_PER_FILE), "layers")
        if "gold" in options.layers:
            lot = min(COMMIT, options.events)
            jobs[UPSERT_FLOOR] = lambda: bench.upserts("upsert_floor", "floor.db", str(options.events), str(lot))
            jobs[GOLD_SINK] = lambda: bench.upserts("gold", "Driver=SQLite3;Database=gold.db", "--json", "--rows", str(options.events), "--commit", str(lot))
        jobs.update({f"sfrun: {layer}": lambda layer=layer: bench.layer(layer) for layer in options.layers})
        runs, clock = in_turn(jobs, options.runs)
        if options.json:
            print(json.dumps(runs, indent=1))
        else:
            print(f"{options.events:,} events, {PARTITIONS} partitions, {'S3' if options.s3 else 'local files'}; median of {options.runs}; "
                  f"{machine(clock)}\n")
            print(table([row(label, found, options.events) for label, found in runs.items()]))
            if GOLD_SINK in runs:
                print(f"\ngold on SQLite, {COMMIT:,} rows a commit, is {median(runs[GOLD_SINK], 'cpu') / median(runs[UPSERT_FLOOR], 'cpu'):.2f} × native "
                      "prepared upserts in one transaction")
            if "sfrun: all" in runs:
                ours, floor, least = (median(runs[label], "cpu") for label in ("sfrun: all", LAYERS_FLOOR, "floor: consume"))
                print(f"all three layers are {ours / floor:.2f} × their floor and {ours / least:.1f} × consuming; the floor is {floor / least:.1f} ×")
        bench.kafka.stop()
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)


main()

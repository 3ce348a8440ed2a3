"""The bench behind tests/bench/latency: events at a steady rate from Kafka to gold on SQLite and on PostgreSQL, all layers at work."""

import argparse
import collections
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from measure import calibration, machine, table  # noqa: E402
from confluent_kafka import Producer  # noqa: E402
from testbed import Kafka, Postgres, Sales, Sfrun  # noqa: E402

PARTITIONS = 3
STEP_S = 0.01  # the producer sends what is due this often
PROBED = 49  # one event of so many is looked for; no multiple of the partitions
PATIENCE_S = 60


class SqliteWatch:
    """Looks for an order by its key, as a reader of its own."""

    def __init__(self, path):
        self.path, self.connection = path, None

    def has(self, order):
        if not self.connection:
            if not self.path.exists():
                return False
            self.connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            return bool(self.connection.execute("SELECT 1 FROM fact_sales WHERE order_id = ?", (order,)).fetchall())
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return False
            raise

    def rows(self):
        return self.connection.execute("SELECT count(*) FROM fact_sales").fetchone()[0]

    def close(self):
        if self.connection:
            self.connection.close()


class PostgresWatch:
    """The same by one psql that stays connected."""

    def __init__(self, postgres, database):
        command = [postgres.bin / "psql", "-X", "-q", "-t", "-A", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "sf", "-d", database]
        self.psql = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd="/")

    def ask(self, sql):
        self.psql.stdin.write(f"{sql};\n\\echo .\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline().strip()) != ".":
            lines.append(line)
        return lines

    def has(self, order):
        return self.ask(f"SELECT 'there' FROM fact_sales WHERE order_id = '{order}'") == ["there"]

    def rows(self):
        return int(self.ask("SELECT count(*) FROM fact_sales")[0])

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Load(threading.Thread):
    """Sends events at the rate, each with the moment at which it is sent, and keeps the moments of those that are looked for."""

    def __init__(self, kafka, rate, seconds):
        super().__init__()
        self.rate, self.count = rate, rate * seconds
        self.producer = Producer({"bootstrap.servers": kafka.brokers, "log_level": 0, "acks": "all", "linger.ms": 5, "compression.type": "lz4"})
        self.sales = Sales(0, seed=1)
        self.probes = [collections.deque() for _ in range(PARTITIONS)]
        self.late = 0.0

    def run(self):
        begin, sent = time.time(), 0
        while sent < self.count:
            due = min(self.count, int((time.time() - begin) * self.rate))
            for order in range(sent, due):
                self.send(order)
            sent = due
            self.producer.poll(0)
            time.sleep(STEP_S)
        self.late = time.time() - begin - self.count / self.rate
        self.producer.flush(60)

    def send(self, order):
        now = time.time()
        partition = order % PARTITIONS
        self.producer.produce("sales", self.sales.event(order, partition), str(partition), partition=partition, timestamp=int(now * 1000))
        if order % PROBED == 0:
            self.probes[partition].append((now, f"ORD-{order:07}"))


def observe(load, watch):
    """Seconds from each probe's moment until it was seen, with the moment."""
    seen, last = [], time.time()
    while load.is_alive() or any(load.probes):
        for queue in load.probes:
            while queue and watch.has(queue[0][1]):
                moment, _ = queue.popleft()
                seen.append((moment, time.time() - moment))
                last = time.time()
        if time.time() - last > PATIENCE_S:
            raise RuntimeError(f"nothing new in gold for {PATIENCE_S} s")
        time.sleep(0.002)
    return seen


def measured(options, directory, product):
    sfrun = Sfrun(os.environ.get("SF_RELEASE", ROOT / "build" / "release"))
    kafka, postgres = Kafka(directory / "kafka").start(), Postgres().start() if product == "PostgreSQL" else None
    try:
        kafka.create_topic("sales", PARTITIONS)
        watch = PostgresWatch(postgres, "postgres") if postgres else SqliteWatch(directory / "gold.db")
        (directory / "sales.yaml").write_text((ROOT / "pipelines" / "sales.yaml").read_text())
        running = sfrun.start("sales.yaml", cwd=directory, env={
            "KAFKA_BROKERS": kafka.brokers, "SALES_TOPIC": "sales", "CHECKPOINT": options.checkpoint, "XDG_RUNTIME_DIR": directory,
            "BRONZE_URL": f"file://{directory}/raw", "SILVER_URL": f"file://{directory}/silver",
            "GOLD_CONNECTION": postgres.connection() if postgres else f"Driver=SQLite3;Database={directory}/gold.db"})
        running.wait_line("assigned")
        load = Load(kafka, options.rate, options.seconds)
        load.start()
        seen = observe(load, watch)
        load.join()
        cpu = sum(os.sysconf("SC_CLK_TCK") ** -1 * int(field) for field in
                  Path(f"/proc/{running.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
        status, rows = running.stop(), watch.rows()
        watch.close()
        if status or rows != load.count:
            raise RuntimeError(f"status {status}, {rows} rows of {load.count}\n{running.output[-4000:]}")
        return {"gold on": product, "latencies": sorted(latency for _, latency in steady(seen)), "cpu": cpu / load.count * 1e6, "late": load.late}
    finally:
        kafka.stop()
        if postgres:
            postgres.remove()


def steady(seen):
    """Without the first fifth, in which caches and tables are made."""
    begin, end = min(seen)[0], max(seen)[0]
    return [(moment, latency) for moment, latency in seen if moment >= begin + (end - begin) / 5]


def row(result):
    values = result["latencies"]
    quantile = {f"p{share}": f"{values[min(len(values) - 1, len(values) * share // 100)]:.2f}" for share in (50, 95, 99)}
    return {"gold on": result["gold on"], "probes": str(len(values)), **{f"{name} s": text for name, text in quantile.items()},
            "max s": f"{values[-1]:.2f}", "CPU µs/event": f"{result['cpu']:.1f}", "producer late s": f"{result['late']:.2f}"}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/latency", description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="events a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--checkpoint", default="500ms")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clock, results = [calibration()], []
    for product in ("SQLite", "PostgreSQL"):
        directory = Path(tempfile.mkdtemp(prefix="streamforge-latency-"))
        try:
            results.append(measured(options, directory, product))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        clock.append(calibration())
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{options.rate:,} events/s for {options.seconds} s, checkpoint {options.checkpoint}, all three layers; {machine(clock)}\n")
    print(table([row(result) for result in results]))


main()

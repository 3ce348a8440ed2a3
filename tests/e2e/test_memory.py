"""Memory as documented: a process stays within `memory` and 40 MiB more, on files and SQLite, on S3 and PostgreSQL, however many tasks it
has. `pytest -s` prints the peaks; SF_BACKLOG=1000000 gives those of docs/operating.md."""

import contextlib
import os
import random
import re
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from testbed.events import Sales

COUNT, PARTITIONS = int(os.environ.get("SF_BACKLOG", 300_000)), 12
MORE_MIB = 40
SALES = Path(__file__).resolve().parents[2] / "pipelines" / "sales.yaml"
LAYERS = {"bronze": ["bronze"], "silver": ["sales", "silver"], "gold": ["sales", "gold"], "all": ["bronze", "sales", "silver", "gold"]}


def sales_pipeline(layer, tasks):
    """pipelines/sales.yaml with the steps of one layer."""
    head, body = SALES.read_text().split("steps:\n")
    steps = dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n|  #.*\n)*)", body, re.MULTILINE))
    return f"{head}tasks: {tasks}\nsteps:\n" + "".join(f"  {name}:\n{steps[name]}" for name in ["events", *LAYERS[layer]])


def run_and_watch(sfrun, file, env, log):
    """Runs until it ends; its high-water mark in MiB, and the most descriptors. What wait4() says counts its parent's before exec, too."""
    peak = descriptors = 0
    with open(log, "w", encoding="utf-8") as output:
        run = subprocess.Popen([sfrun.binary, "--once", file], env=env, cwd=log.parent, stderr=output)
        while run.poll() is None:
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{run.pid}/status").read_text()
                peak = int((re.search(r"VmHWM:\s+(\d+) kB", status) or [0, peak])[1])
                descriptors = max(descriptors, len(os.listdir(f"/proc/{run.pid}/fd")))
            time.sleep(0.01)
    assert run.returncode == 0, log.read_text()[-3000:]
    assert peak > 10 * 1024
    print(f"\n{os.environ['PYTEST_CURRENT_TEST']}: {peak / 1024:.1f} MiB")
    return peak / 1024, descriptors


@pytest.fixture(scope="module")
def backlog(kafka):
    """One topic for all of them."""
    name = f"memory-{os.getpid()}"
    kafka.create_topic(name, partitions=PARTITIONS)
    kafka.produce(name, Sales(COUNT, seed=1, partitions=PARTITIONS, broken=0, span_ms=100_000).messages())
    return name


@pytest.mark.parametrize("tasks", [1, 3, 6])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_backlog_stays_within_the_documented_memory(sfrun, kafka, backlog, tmp_path, layer, tasks):
    (tmp_path / "sales.yaml").write_text(sales_pipeline(layer, tasks))
    env = sfrun.environment({
        "KAFKA_BROKERS": kafka.brokers, "SALES_TOPIC": backlog, "SALES_GROUP": f"{backlog}-{layer}-{tasks}", "XDG_RUNTIME_DIR": tmp_path,
        "BRONZE_URL": f"file://{tmp_path}/raw", "SILVER_URL": f"file://{tmp_path}/silver",
        "GOLD_CONNECTION": f"Driver=SQLite3;Database={tmp_path}/gold.db"})
    peak, _ = run_and_watch(sfrun, tmp_path / "sales.yaml", env, tmp_path / "log")
    assert peak <= 40 + MORE_MIB, f"{layer}, {tasks} tasks: {peak:.1f} MiB"
    assert kafka.lag(env["SALES_GROUP"], backlog) == 0


@pytest.mark.parametrize("layer, tasks", [("silver", 1), ("gold", 1), ("all", 1), ("all", 6)])
def test_a_backlog_to_servers_stays_within_the_documented_memory(sfrun, kafka, s3, postgres, backlog, name, tmp_path, layer, tasks):
    """S3 and PostgreSQL; bronze alone is in test_store.py."""
    (tmp_path / "sales.yaml").write_text(sales_pipeline(layer, tasks))
    bucket = s3.bucket(name)
    env = sfrun.environment({
        **s3.client_environment(), "KAFKA_BROKERS": kafka.brokers, "SALES_TOPIC": backlog, "SALES_GROUP": name, "XDG_RUNTIME_DIR": tmp_path,
        "BRONZE_URL": f"s3://{bucket}/raw", "SILVER_URL": f"s3://{bucket}/silver", "GOLD_CONNECTION": postgres.connection(postgres.database(name))})
    peak, _ = run_and_watch(sfrun, tmp_path / "sales.yaml", env, tmp_path / "log")
    assert peak <= 40 + MORE_MIB, f"{layer}, {tasks} tasks: {peak:.1f} MiB"
    assert kafka.lag(name, backlog) == 0


FILES = """
pipeline: files
checkpoint: 1h
steps:
  lines: {{source: file-source, path: {path}}}
{decode}  table: {{sink: delta-silver-sink, from: sales, url: ./table}}
"""


@pytest.fixture(scope="module")
def lines():
    """Lines of 10,000 events each; a file is read as often as there are links to it."""
    events = [message["value"] + b"\n" for message in Sales(100_000, seed=1, broken=0, span_ms=100_000).messages()]
    return [b"".join(events[begin:begin + 10_000]) for begin in range(0, len(events), 10_000)]


def test_memory_does_not_grow_with_the_number_of_files(sfrun, lines, tmp_path):
    """A quarter of a million rows in 25 files, and four times as many: neither fits the memory."""
    text = SALES.read_text()
    decode = text[text.index("  sales:\n"):text.index("  silver:\n")].replace("from: events", "from: lines")
    for files in (25, 100):
        place = tmp_path / str(files)
        (place / "in").mkdir(parents=True)
        for number in range(files):
            (place / "in" / f"{number:03}.json").write_bytes(lines[number % len(lines)])
        (place / "files.yaml").write_text("memory: 16MiB\n" + FILES.format(path=place / "in", decode=decode))
        env = sfrun.environment({"XDG_RUNTIME_DIR": place, "XDG_STATE_HOME": place / "state"})
        peak, _ = run_and_watch(sfrun, place / "files.yaml", env, place / "log")
        assert peak <= 16 + MORE_MIB, f"{files} files: {peak:.1f} MiB"
        rows = duckdb.sql(f"SELECT count(*), count(DISTINCT (_topic, _offset)) FROM '{place}/table/*.parquet'").fetchall()[0]
        assert rows == (files * 10_000, files * 10_000)


WIDE = """
pipeline: wide
steps:
  events: {{source: kafka-source, brokers: {brokers}, topics: [{topic}], group: {topic}}}
  {steps}
"""

THOUSAND = "wide: {transform: json-decode, from: events, schema: {" + ", ".join(f"c{i}: string" for i in range(1000)) + "}}\n" \
    "  silver: {sink: delta-silver-sink, from: wide, url: ./silver}"


@pytest.mark.parametrize("steps, record, count", [
    ("bronze: {sink: s3-bronze-sink, from: events, url: ./raw}", b'{"text": "%s"}' % random.Random(1).randbytes(490_000).hex().encode(), 150),
    (THOUSAND, b"{" + ",".join(f'"c{i}": "value {i}"' for i in range(1000)).encode() + b"}", 8_000)], ids=["1 MB a record", "1,000 columns"])
def test_wide_rows_stay_within_the_documented_memory(sfrun, kafka, name, tmp_path, steps, record, count):
    kafka.create_topic(name, partitions=3)
    kafka.produce(name, ({"value": record, "partition": i % 3} for i in range(count)))
    (tmp_path / "wide.yaml").write_text(WIDE.format(brokers=kafka.brokers, topic=name, steps=steps))
    peak, _ = run_and_watch(sfrun, tmp_path / "wide.yaml", sfrun.environment({"XDG_RUNTIME_DIR": tmp_path}), tmp_path / "log")
    assert peak <= 40 + MORE_MIB, f"{peak:.1f} MiB"
    assert kafka.lag(name, name) == 0


MANY = """
pipeline: {topic}
steps:
  events: {{source: kafka-source, brokers: {brokers}, topics: [{topic}], group: {topic}}}
  bronze: {{sink: s3-bronze-sink, from: events, url: ./raw}}
"""


def test_a_thousand_partitions_take_little(sfrun, kafka, name, tmp_path):
    """Beside what the same rows take in one partition."""
    taken = []
    for partitions in (1, 1000):
        topic = f"{name}-{partitions}"
        kafka.create_topic(topic, partitions=partitions)
        kafka.produce(topic, ({"value": b'{"n": %d}' % i, "partition": i % partitions} for i in range(3000)))
        file = tmp_path / f"{partitions}.yaml"
        file.write_text(MANY.format(brokers=kafka.brokers, topic=topic))
        taken.append(run_and_watch(sfrun, file, sfrun.environment({"XDG_RUNTIME_DIR": tmp_path}), tmp_path / "log"))
        assert kafka.lag(topic, topic) == 0
    (few, _), (many, descriptors) = taken
    assert many - few < 64, f"{many:.1f} MiB, {few:.1f} with one partition"
    assert descriptors < 200

"""The main job, killed again and again: a million events from Kafka to bronze and silver on S3 and to gold in two databases."""

import itertools
import json
import os
import random
import sqlite3
import time
from pathlib import Path

import pytest

import proof
from oracle import Expected
from pipeline import FACTS, Job
from testbed import Sales, TableReaders
from testbed.server import wait_for

EVENTS = int(os.environ.get("SF_EVENTS", 1_000_000))
KILLS = 25
PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"
BRONZE_TO_SILVER, SILVER_TO_GOLD = PIPELINES / "bronze-to-silver.yaml", PIPELINES / "silver-to-gold.yaml"


def run_with_kills(sfrun, kafka, job, rng):
    """Produces the events in portions; after each one starts the job and kills it at a random moment. Returns how many of the kills
    came before everything was committed."""
    messages = Sales(EVENTS, rng.randrange(1 << 30)).messages()
    amidst = 0
    for _ in range(KILLS):
        kafka.produce(job.topic, itertools.islice(messages, -(-EVENTS // KILLS)))
        process = sfrun.start(job.file, env=job.env, cwd=job.directory)
        # Some die while they join and recover, most in the middle of the work.
        time.sleep(rng.choice([rng.uniform(0.02, 0.6), rng.uniform(0.3, 3.0), rng.uniform(2.0, 6.0)]))
        assert process.alive(), f"sfrun ended by itself with status {process.wait()}:\n{process.output[-4000:]}"
        process.kill()
        amidst += job.lag() > 0
    return amidst


@pytest.fixture(scope="module")
def finished(sfrun, kafka, s3, postgres, seed, tmp_path_factory):
    """The job after all of its kills and a last undisturbed run that was stopped by SIGTERM."""
    job = Job(tmp_path_factory.mktemp("main"), f"main{seed % 100000}", kafka, s3, postgres)
    job.add_embedded_gold()
    job.create_topics()
    amidst = run_with_kills(sfrun, kafka, job, random.Random(seed))
    assert amidst >= 20, f"only {amidst} of {KILLS} kills came before everything was committed"
    last = sfrun.start(job.file, env=job.env, cwd=job.directory)
    last.wait_line("assigned")
    wait_for(lambda: job.lag() == 0, 180, lambda: f"lag {job.lag()}\n{last.output[-3000:]}", every=0.5)
    assert last.stop() == 0, last.output[-3000:]
    print(f"\n{EVENTS} events, {KILLS} kills, {amidst} of them before all was committed, seed {seed}")
    return job


@pytest.fixture(scope="module")
def expected(finished, kafka):
    computed = Expected(kafka.read(finished.topic))
    assert computed.records == EVENTS
    assert len(computed.rejected) > EVENTS // 1000 and len(computed.winners) < len(computed.rows)
    return computed


def test_bronze_holds_every_record_once_in_order_byte_by_byte(finished, expected):
    proof.bronze(expected, finished.bronze(), finished.topic)


def test_silver_is_the_same_for_all_readers_and_has_no_duplicate(finished, expected, s3, spark):
    proof.silver(expected, TableReaders(finished.silver_url, s3, spark))


def test_gold_in_postgresql_has_each_order_once_with_its_winner(finished, expected):
    proof.gold(expected, finished.gold())


def test_gold_in_sqlite_has_each_order_once_with_its_winner(finished, expected):
    proof.gold(expected, finished.embedded_gold())


def test_the_broken_ones_are_rejected_once_with_place_and_cause(finished, expected, kafka):
    proof.rejects(expected, kafka.read(finished.rejects))


def test_the_group_has_no_lag(finished):
    assert finished.lag() == 0


@pytest.mark.parametrize("depth", ["--quick", None, "--deep"])
def test_the_audit_balances_after_all_kills(finished, sfrun, depth):
    words = ["audit", finished.file, "--json", *([depth] if depth else [])]
    done = sfrun.run(*words, env=finished.env, cwd=finished.directory, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 0, report["findings"]
    assert report["balanced"] and report["faults"] == report["unknown"] == 0, report["findings"]
    rows = {step["step"]: sum(entry["rows"] or 0 for entry in step.get("inputs", [])) for step in report["steps"]}
    assert rows["bronze"] == EVENTS and 0 < rows["rejects"] == EVENTS - rows["silver"], rows


def test_the_audit_balances_while_the_job_runs(sfrun, kafka, s3, postgres, seed, tmp_path):
    job = Job(tmp_path, f"audit{seed % 100000}", kafka, s3, postgres)
    job.create_topics()
    messages = Sales(60_000, seed).messages()
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    process.wait_line("assigned")
    for _ in range(3):
        kafka.produce(job.topic, itertools.islice(messages, 20_000))
        for depth, fine in ("--quick", (0, 4)), ("--deep", (0,)):
            done = sfrun.run("audit", depth, job.file, env=job.env, cwd=job.directory, check=False)
            assert done.returncode in fine, f"{depth}: status {done.returncode}\n{done.stdout}{done.stderr}"
    wait_for(lambda: job.lag() == 0, 120, lambda: process.output[-3000:], every=0.5)
    assert process.stop() == 0


def test_gold_from_silver_is_the_same(finished, expected, sfrun, seed, tmp_path):
    """In parts, and killed within them."""
    database = tmp_path / "gold.db"
    env = {**finished.env, "GOLD_CONNECTION": f"Driver=SQLite3;Database={database}", "REJECTS_DIR": tmp_path / "rejects", "CHECKPOINT": "100ms",
           "XDG_RUNTIME_DIR": tmp_path}
    rng = random.Random(seed)
    for _ in range(4):
        process = sfrun.start("--once", SILVER_TO_GOLD, env={**env, "MAX_FILES_PER_TRIGGER": rng.choice(["0", "5"])}, cwd=tmp_path)
        time.sleep(rng.uniform(0.1, 1.5))
        process.kill()
    sfrun.run("--once", SILVER_TO_GOLD, env=env, cwd=tmp_path)
    proof.gold(expected, sqlite3.connect(database).execute(FACTS).fetchall())


def sorted_rows(url, s3):
    return TableReaders(url, s3).arrow().sort_by([("_partition", "ascending"), ("_offset", "ascending")])


def test_silver_rebuilt_from_bronze_is_the_same_and_goes_on_from_kafka(finished, expected, sfrun, kafka, s3, seed, tmp_path):
    """Killed while it is rebuilt; then fed by the topic itself, whose positions bronze's are."""
    rebuilt = finished.silver_url + "-rebuilt"
    env = {**finished.env, "SILVER_URL": rebuilt, "REJECTS_DIR": tmp_path / "rejects", "CHECKPOINT": "100ms", "XDG_RUNTIME_DIR": tmp_path}
    rng = random.Random(seed)
    for _ in range(3):
        process = sfrun.start("--once", BRONZE_TO_SILVER, env=env, cwd=tmp_path)
        time.sleep(rng.uniform(0.05, 0.5))
        process.kill()
    sfrun.run("--once", BRONZE_TO_SILVER, env=env, cwd=tmp_path)
    proof.silver(expected, TableReaders(rebuilt, s3))
    was = sorted_rows(finished.silver_url, s3)
    now = sorted_rows(rebuilt, s3)
    assert now.column_names == was.column_names and now.num_rows == was.num_rows
    assert [name for name in was.column_names if now.column(name) != was.column(name)] == []

    kafka.produce(finished.topic, itertools.islice(Sales(1000, seed).messages(), 1000))
    from_kafka = tmp_path / "from-kafka.yaml"
    text = BRONZE_TO_SILVER.read_text()
    begin, end = text.index("    source: bronze-source"), text.index("  sales:\n")
    source = f"    source: kafka-source\n    brokers: {kafka.brokers}\n    topics: [{finished.topic}]\n    group: {finished.name}-again\n\n"
    from_kafka.write_text(text[:begin] + source + text[end:])
    sfrun.run("--once", from_kafka, env=env, cwd=tmp_path)
    computed = Expected(kafka.read(finished.topic))
    assert computed.records == EVENTS + 1000
    proof.silver(computed, TableReaders(rebuilt, s3))

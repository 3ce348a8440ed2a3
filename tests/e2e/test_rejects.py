"""Each kind of broken event is rejected with its topic, partition, offset and cause, and the rest goes on."""

import re
import sqlite3

import pytest

import proof
from oracle import Expected
from pipeline import Job
from testbed import BROKEN, Sales, TableReaders

MEGABYTE = b'{"order_id": "ORD-1", "order_date": "2024-01-15", "customer_name": "' + b"x" * 900_000 + b'", "sales": 1.00, "quantity": 1}'

# What the cause must name.
CAUSE = {
    "not JSON": r"JSON", "truncated": r"JSON|ends|unclosed|string", "no order_id": r"order_id.*(missing|not null|required)",
    "null order_id": r"order_id.*null", "number too large": r"sales.*99999999999\.00.*decimal\(12,2\)",
    "too many digits": r"sales.*1\.005.*decimal\(12,2\)", "quantity no int": r"quantity.*many.*int", "int overflow": r"quantity.*3000000000.*int",
    "no such day": r"order_date.*2024-02-30.*date", "invalid UTF-8": r"UTF-8", "array": r"object", "garbage behind": r"JSON|after|behind|trailing",
}


@pytest.fixture(scope="module")
def done(sfrun, kafka, tmp_path_factory):
    job = Job(tmp_path_factory.mktemp("rejects"), "rejectkinds", kafka)
    job.create_topics(partitions=1)
    good = list(Sales(100, seed=1, partitions=1, broken=0).messages())
    broken = [{"value": value, "partition": 0} for value in BROKEN.values()]
    kafka.produce(job.topic, good + broken + [{"value": MEGABYTE, "partition": 0}] + good)
    run = sfrun.run(job.file, "--once", env=job.env, cwd=job.directory)
    return job, {proof.place(message): message for message in kafka.read(job.rejects)}, run


def headers(message):
    return {name: value.decode() for name, value in message.headers()}


@pytest.mark.parametrize("kind", BROKEN)
def test_cause_and_place(done, kind):
    job, rejected, _ = done
    message = rejected[0, 100 + list(BROKEN).index(kind)]
    assert message.value() == BROKEN[kind], "the value is not the event's own"
    found = headers(message)
    assert found["sf.topic"] == job.topic
    assert re.search(CAUSE[kind], found["sf.error"]), found["sf.error"]
    assert found["sf.step"] == "sales"


def test_a_large_event_is_an_event_like_others(done):
    job, rejected, _ = done
    assert (0, 100 + len(BROKEN)) not in rejected
    assert any(MEGABYTE in body for body in job.bronze().values())


def test_all_others_went_through(done, kafka):
    job, rejected, _ = done
    expected = Expected(kafka.read(job.topic))
    assert len(rejected) == len(BROKEN) == len(expected.rejected)
    proof.bronze(expected, job.bronze(), job.topic)
    proof.silver(expected, TableReaders(job.silver_url))
    assert sqlite3.connect(job.database).execute("SELECT COUNT(*) FROM fact_sales").fetchone()[0] == len(expected.winners)


def test_a_null_value_is_rejected_by_bronze_and_silver(sfrun, kafka, name, tmp_path):
    job = Job(tmp_path, name, kafka)
    job.create_topics(partitions=1)
    kafka.produce(job.topic, [*Sales(10, seed=1, partitions=1, broken=0).messages(), {"key": b"k", "value": None, "partition": 0}])
    sfrun.run(job.file, "--once", env=job.env, cwd=job.directory)
    rejected = [(headers(message)["sf.step"], headers(message)["sf.offset"]) for message in kafka.read(job.rejects)]
    assert sorted(rejected) == [("bronze", "10"), ("sales", "10")]


def test_without_a_reader_of_the_rejects_the_pipeline_stops(sfrun, kafka, name, tmp_path):
    job = Job(tmp_path, name, kafka)
    job.create_topics(partitions=1)
    job.replace("from: [bronze.errors, sales.errors, gold.errors]", "from: bronze.errors")
    kafka.produce(job.topic, [{"value": BROKEN["not JSON"], "partition": 0}])
    done = sfrun.run(job.file, "--once", env=job.env, cwd=job.directory, check=False)
    assert done.returncode == 1, done.stderr
    assert re.search(rf"sales.*{job.topic}/0.*\b0\b", done.stderr), done.stderr

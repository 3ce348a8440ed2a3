"""Broker, object store and warehouse away, at the start and in the middle: retried with a clear line, nothing lost."""

import time

import pytest

import proof
from oracle import Expected
from pipeline import Job
from testbed import S3, Kafka, Postgres, Sales, TableReaders
from testbed.server import wait_for


class Bench:
    """Servers of its own, because they are stopped in the test."""

    def __init__(self, directory):
        self.kafka, self.s3, self.postgres = Kafka(directory / "kafka").start(), S3(directory / "s3").start(), Postgres().start()

    def close(self):
        self.kafka.stop()
        self.s3.stop()
        self.postgres.remove()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    servers = Bench(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.close()


@pytest.fixture
def job(bench, name, tmp_path):
    job = Job(tmp_path, name, bench.kafka, bench.s3, bench.postgres)
    job.create_topics()
    bench.kafka.produce(job.topic, Sales(5000, seed=3).messages())
    return job


def finish(bench, job, process):
    wait_for(lambda: job.lag() == 0, 90, lambda: f"lag {job.lag()}\n{process.output[-3000:]}", every=0.3)
    assert process.stop() == 0, process.output[-3000:]
    expected = Expected(bench.kafka.read(job.topic))
    proof.bronze(expected, job.bronze(), job.topic)
    proof.silver(expected, TableReaders(job.silver_url, bench.s3))
    proof.gold(expected, job.gold())
    proof.rejects(expected, bench.kafka.read(job.rejects))


AWAY = {"kafka": r"cannot reach|refused", "s3": r"S3|s3://|refused|connect", "postgres": r"refused|connect"}


def complaints(process, since=0):
    return [line for line in process.lines[since:] if " WARN" in line or " ERROR" in line]


@pytest.mark.parametrize("server", AWAY)
def test_away_at_the_start(sfrun, bench, job, server):
    getattr(bench, server).stop()
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    process.wait_line(r"(WARN|ERROR).*(" + AWAY[server] + ").*trying again", 60)
    time.sleep(3)
    assert process.alive(), process.output
    assert len(complaints(process)) <= 12, "one clear line, not a flood:\n" + process.output
    getattr(bench, server).start()
    finish(bench, job, process)


@pytest.mark.parametrize("server", AWAY)
def test_away_in_the_middle(sfrun, bench, job, server):
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    wait_for(lambda: job.lag() == 0, 60, lambda: process.output[-3000:], every=0.3)
    before = len(process.lines)
    if server == "kafka":
        bench.kafka.produce(job.topic, Sales(5000, seed=4).messages())
    getattr(bench, server).stop()
    if server != "kafka":
        bench.kafka.produce(job.topic, Sales(5000, seed=4).messages())
    wait_for(lambda: complaints(process, before), 60, lambda: "nothing said\n" + process.output)
    time.sleep(3)
    assert process.alive(), process.output
    getattr(bench, server).start()
    finish(bench, job, process)


def test_killed_while_the_store_is_away(sfrun, bench, job):
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    wait_for(lambda: job.lag() == 0, 60, lambda: process.output[-3000:], every=0.3)
    bench.s3.kill()
    bench.kafka.produce(job.topic, Sales(5000, seed=5).messages())
    time.sleep(2)
    process.kill()
    bench.s3.start()
    finish(bench, job, sfrun.start(job.file, env=job.env, cwd=job.directory))


def test_frozen_broker(sfrun, bench, job):
    """Not refused, only silent, for longer than the session."""
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    wait_for(lambda: job.lag() == 0, 60, lambda: process.output[-3000:], every=0.3)
    bench.kafka.produce(job.topic, Sales(5000, seed=6).messages())
    bench.kafka.freeze()
    time.sleep(8)
    bench.kafka.thaw()
    finish(bench, job, process)

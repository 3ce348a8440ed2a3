"""Several processes in one group, one of them killed, frozen or stopped: counts stay exact."""

import contextlib
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

import proof
from oracle import Expected
from pipeline import Job
from testbed import LIBRDKAFKAS, Relay, Sales, TableReaders
from testbed.server import wait_for

# Newer ones rebalance cooperatively: partitions that stay are paused and resumed. Each test takes some of them.
def with_librdkafka(*versions):
    return pytest.mark.parametrize("sfrun", versions, indirect=True, ids=lambda version: version or "built-with")


OWN, OLDER, NEWEST = LIBRDKAFKAS

STAYING = """
pipeline: {name}
checkpoint: 200ms
steps:
  events:
    source: kafka-source
    brokers: {brokers}
    topics: [{name}]
    group: {name}
    kafka: {{session.timeout.ms: 1500, heartbeat.interval.ms: 300}}
  bronze:
    sink: s3-bronze-sink
    from: events
    url: {url}
    rotate.schedule.interval.ms: 1000
"""


@pytest.fixture
def job(kafka, s3, postgres, name, tmp_path):
    job = Job(tmp_path, name, kafka, s3, postgres)
    job.create_topics(partitions=4)
    return job


def proven(job, kafka, s3, postgres, events):
    expected = Expected(kafka.read(job.topic))
    assert expected.records == events
    proof.bronze(expected, job.bronze(), job.topic)
    proof.silver(expected, TableReaders(job.silver_url, s3))
    proof.gold(expected, job.gold())
    proof.rejects(expected, kafka.read(job.rejects))
    assert job.lag() == 0


def caught_up(job, *processes):
    wait_for(lambda: job.lag() == 0, 120, lambda: f"lag {job.lag()}\n" + "\n---\n".join(p.output[-2000:] for p in processes), every=0.3)


@pytest.fixture
def trickle(kafka, job):
    """100,000 events over some seconds, beside the test."""
    failures = []

    def produce():
        try:
            for part in range(10):
                kafka.produce(job.topic, Sales(10000, seed=part, partitions=4).messages())
                time.sleep(1)
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    thread = threading.Thread(target=produce)
    thread.start()
    yield thread
    thread.join()
    assert not failures


@with_librdkafka(OWN, OLDER)
def test_one_of_two_is_killed(sfrun, kafka, s3, postgres, job, trickle):
    first = sfrun.start(job.file, env=job.env, cwd=job.directory)
    second = sfrun.start(job.file, env=job.env, cwd=job.directory)
    wait_for(lambda: sum(kafka.committed(job.group, job.topic).values()) > 10000, 60, lambda: first.output + second.output)
    first.kill()
    trickle.join()
    caught_up(job, second)
    assert second.stop() == 0, second.output[-3000:]
    proven(job, kafka, s3, postgres, 100000)


@with_librdkafka(OWN)
def test_paused_stopped_and_resumed(sfrun, kafka, s3, postgres, job, trickle):
    """A pause keeps the partitions; what another process leaves is taken over in it, and read when it is over."""
    first = sfrun.start(job.file, env=job.env, cwd=job.directory)
    second = sfrun.start(job.file, env=job.env, cwd=job.directory)
    told = lambda: first.output + second.output

    def committed():
        return sum(kafka.committed(job.group, job.topic).values())

    def assigned(process):
        pipelines = [p for d in sfrun.json("status", "--json", env=job.env, check=False) if d["pid"] == process.process.pid for p in d["pipelines"]]
        return [split["split"] for p in pipelines for split in p["splits"] if split["assigned"]]

    wait_for(lambda: assigned(first) and assigned(second) and committed() > 10000, 60, told)
    kept = assigned(first), assigned(second)
    states = sfrun.json("pause", job.name, "--json", "--wait", "60s", env=job.env)
    assert sorted(p["pid"] for p in states) == sorted([first.process.pid, second.process.pid]) and {p["state"] for p in states} == {"paused"}
    trickle.join()
    assert (assigned(first), assigned(second)) == kept
    stopped = committed()
    assert stopped < 100000
    sfrun.run("stop", job.name, "--pid", second.process.pid, "--wait", "60s", env=job.env)
    wait_for(lambda: len(assigned(first)) == 4, 60, told)
    assert committed() == stopped
    sfrun.run("resume", job.name, "--pid", first.process.pid, "--wait", "60s", env=job.env)
    caught_up(job, first)
    sfrun.run("resume", job.name, "--pid", second.process.pid, "--wait", "60s", env=job.env)
    assert second.stop() == 0 and first.stop() == 0, told()[-3000:]
    proven(job, kafka, s3, postgres, 100000)


@with_librdkafka(OWN, NEWEST)
def test_processes_come_and_go(sfrun, kafka, s3, postgres, job, trickle, seed):
    rng = random.Random(seed)
    running = [sfrun.start(job.file, env=job.env, cwd=job.directory)]
    for _ in range(6):
        running.append(sfrun.start(job.file, env=job.env, cwd=job.directory))
        time.sleep(rng.uniform(0.5, 2.5))
        gone = running.pop(rng.randrange(len(running)))
        if rng.random() < 0.5:
            gone.kill()
        else:
            assert gone.stop() == 0, gone.output[-3000:]
    trickle.join()
    caught_up(job, *running)
    for process in running:
        assert process.stop() == 0, process.output[-3000:]
    proven(job, kafka, s3, postgres, 100000)


@with_librdkafka(OLDER)
def test_six_start_in_the_same_moment(sfrun, kafka, s3, postgres, job):
    """All create the same tables at once; those that come second try again."""
    kafka.produce(job.topic, Sales(20000, seed=9).messages())
    running = [sfrun.start(job.file, env=job.env, cwd=job.directory) for _ in range(6)]
    caught_up(job, *running)
    for process in running:
        assert process.stop() == 0, process.output[-3000:]
    proven(job, kafka, s3, postgres, 20000)


@with_librdkafka(NEWEST)
def test_a_frozen_process_does_no_harm_when_it_wakes(sfrun, kafka, s3, postgres, job, trickle):
    zombie = sfrun.start(job.file, env=job.env, cwd=job.directory)
    wait_for(lambda: sum(kafka.committed(job.group, job.topic).values()) > 5000, 60, lambda: zombie.output)
    zombie.signal(signal.SIGSTOP)
    heir = sfrun.start(job.file, env=job.env, cwd=job.directory)
    trickle.join()
    caught_up(job, heir)
    zombie.signal(signal.SIGCONT)
    time.sleep(5)
    kafka.produce(job.topic, Sales(10000, seed=99, partitions=4).messages())
    caught_up(job, heir, zombie)
    assert zombie.alive(), zombie.output[-3000:]
    for process in (zombie, heir):
        assert process.stop() == 0, process.output[-3000:]
    proven(job, kafka, s3, postgres, 110000)


@with_librdkafka(NEWEST)
def test_tasks_share_the_partitions(sfrun, kafka, s3, postgres, job):
    job.replace("checkpoint:", "tasks: 3\ncheckpoint:")
    kafka.produce(job.topic, Sales(30000, seed=5, partitions=4).messages())
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    caught_up(job, process)
    assert process.stop() == 0, process.output[-3000:]
    proven(job, kafka, s3, postgres, 30000)


@with_librdkafka(OWN, OLDER, NEWEST)
def test_partitions_that_stay_are_read_on(sfrun, kafka, name, tmp_path, seed):
    """Through many rebalances; records come so slowly that a partition's end is seen behind each."""
    kafka.create_topic(name, 12)
    file = tmp_path / "staying.yaml"
    file.write_text(STAYING.format(name=name, brokers=kafka.brokers, url=f"file://{tmp_path}/raw"))
    done, sent, rng, output = threading.Event(), [], random.Random(seed), ""

    def produce():
        with kafka.producer() as producer:
            while not done.is_set():
                producer.produce(name, value=f"{len(sent)}".encode(), partition=rng.randrange(12))
                sent.append(len(sent))
                producer.flush(30)
                done.wait(0.06)

    def start():
        return sfrun.start(file, env={"XDG_RUNTIME_DIR": tmp_path}, cwd=tmp_path)

    thread = threading.Thread(target=produce)
    running = [start()]
    thread.start()
    for turn in range(6):
        running.append(start())
        running[-1].wait_line("assigned", 60)
        assert not sfrun.library or str(sfrun.library) in Path(f"/proc/{running[-1].process.pid}/maps").read_text()
        if turn % 2:
            gone = running.pop(0)
            assert gone.stop() == 0
            output += gone.output
    done.set()
    thread.join()
    wait_for(lambda: kafka.lag(name, name) == 0, 120, lambda: "\n---\n".join(p.output[-2000:] for p in running), every=0.3)
    for process in running:
        assert process.stop() == 0, process.output[-3000:]
        output += process.output
    assert "cannot be read" not in output
    found = sorted(int(line) for path in (tmp_path / "raw").rglob("*.json") if "_sf" not in path.parts for line in path.read_text().splitlines())
    assert found == sent


@with_librdkafka(OWN, NEWEST)
def test_a_process_whose_store_is_away_does_not_stop_the_group(sfrun, kafka, s3, name, tmp_path):
    """It gives its partitions back after a session, and says so; the other one says whom it waits for."""
    kafka.create_topic(name, 4)
    file = tmp_path / "away.yaml"
    file.write_text(STAYING.format(name=name, brokers=kafka.brokers, url=f"s3://{s3.bucket(name)}/raw"))
    environment = {**s3.client_environment(), "XDG_RUNTIME_DIR": tmp_path}
    sent = []

    def produce(n):
        messages = [{"value": f"{len(sent) + i}".encode(), "partition": i % 4} for i in range(n)]
        kafka.produce(name, messages)
        sent.extend(range(len(sent), len(sent) + n))

    with contextlib.closing(Relay(s3.port)) as relay:
        blocker = sfrun.start(file, env={**environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{relay.port}"}, cwd=tmp_path)
        produce(100)
        caught = lambda: kafka.lag(name, name) == 0  # noqa: E731
        wait_for(caught, 60, lambda: blocker.output, every=0.3)
        relay.away()
        produce(100)
        other = sfrun.start(file, env=environment, cwd=tmp_path)
        blocker.wait_line("WARN.*other processes wait for splits", 60)
        blocker.wait_line("splits are given back without what is not committed: 'bronze' has not answered in time", 60)
        other.wait_line(rf"assigned {name}", 60)
        if not sfrun.library:  # a cooperative member has what nobody else had before it waits
            other.wait_line(rf"waiting for partitions .*streamforge-\S+-{blocker.process.pid} at ", 1)
        relay.back()
        wait_for(caught, 120, lambda: f"{blocker.output[-3000:]}\n---\n{other.output[-3000:]}", every=0.3)
        for process in (blocker, other):
            assert process.stop() == 0, process.output[-3000:]
    lines = [line for key, body in s3.objects(f"{name}/raw").items() if "/_sf/" not in key for line in body.splitlines()]
    assert sorted(map(int, lines)) == sent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_clean_stop_commits_what_was_read(sfrun, kafka, name, tmp_path, number):
    """With a checkpoint that never comes by itself."""
    job = Job(tmp_path, name, kafka, checkpoint="1h", rotate="12h")
    job.create_topics()
    kafka.produce(job.topic, Sales(20000, seed=2).messages())
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    process.wait_line("assigned")
    time.sleep(2)
    begin = time.monotonic()
    process.signal(number)
    assert process.wait(30) == 0, process.output[-3000:]
    assert time.monotonic() - begin < 10
    done = sum(kafka.committed(job.group, job.topic).values())
    assert done > 0
    assert sqlite3.connect(job.database).execute("SELECT SUM(end_position) FROM sf_ledger").fetchone()[0] == done

"""What Kafka does to a source: rebalances, topics that vanish and come again, offsets that are lost, members that die."""

import contextlib
import json
import re
import threading
import time

import deltalake
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

import proof
from oracle import Expected
from pipeline import Job
from testbed import LIBRDKAFKAS, Sales, TableReaders
from testbed.server import wait_for

COPY = """
pipeline: {name}
checkpoint: 200ms
{settings}
steps:
  events:
    source: kafka-source
    brokers: {brokers}
    topics: [{topics}]
    group: {name}
{source}
{steps}
"""

FILES = "  out: {sink: file-sink, from: events, path: out}"

FILTERED = """
  typed: {transform: json-decode, from: events, schema: {a: double}}
  none: {transform: example-filter, from: typed, column: a, min: 1000}
  out: {sink: file-sink, from: none, path: out}
"""

REJECTED = """
  typed: {transform: json-decode, from: events, schema: {b: string not null}}
  out: {sink: file-sink, from: typed, path: out}
  rejects: {sink: file-sink, from: typed.errors, path: rejects}
"""


@pytest.fixture
def pipeline(kafka, name, tmp_path):
    """Writes a pipeline that reads the topic of the test's name."""
    def write(steps=FILES, source="", settings="", topics=None):
        file = tmp_path / "copy.yaml"
        file.write_text(COPY.format(name=name, brokers=kafka.brokers, topics=topics or name, source=source, steps=steps, settings=settings))
        return file
    return write


@pytest.fixture
def start(sfrun, tmp_path):
    running = []

    def start(file, *arguments):
        running.append(sfrun.start(file, *arguments, env={"XDG_RUNTIME_DIR": tmp_path}, cwd=tmp_path))
        return running[-1]
    yield start
    for process in running:
        if process.alive():
            process.kill()


def lines(directory):
    return sorted(line for file in directory.glob("*.jsonl") for line in file.read_text().splitlines())


def no_lag(kafka, name, process, topic=None):
    wait_for(lambda: kafka.lag(name, topic or name) == 0, 30, lambda: f"lag {kafka.lag(name, topic or name)}\n{process.output[-3000:]}", every=0.2)


# ---- lag ----

@pytest.mark.parametrize("steps", [FILES, FILTERED, REJECTED], ids=["copied", "filtered", "rejected"])
def test_the_lag_goes_to_zero_whatever_becomes_of_the_rows(kafka, pipeline, start, name, steps):
    kafka.create_topic(name, 3)  # one partition stays empty
    kafka.produce(name, [{"value": b'{"a": 1}', "partition": i % 2} for i in range(100)])
    no_lag(kafka, name, start(pipeline(steps)))


def test_the_lag_goes_to_zero_behind_what_no_reader_sees(kafka, pipeline, start, name):
    """The ends of a transaction, and records of one that was aborted."""
    kafka.create_topic(name, 2)
    for partition in (0, 1):
        producer = Producer({"bootstrap.servers": kafka.brokers, "transactional.id": f"{name}{partition}", "log_level": 0})
        producer.init_transactions(30)
        producer.begin_transaction()
        for _ in range(10):
            producer.produce(name, value=b"{}", partition=partition)
        producer.flush(30)
        (producer.commit_transaction if partition == 0 else producer.abort_transaction)(30)
    assert kafka.ends(name) == {0: (0, 11), 1: (0, 11)}
    no_lag(kafka, name, start(pipeline()))


def test_the_lag_goes_to_zero_after_a_kill_before_it_was_published(kafka, sfrun, pipeline, start, name, tmp_path):
    """And nothing comes any more."""
    kafka.create_topic(name, 1)
    kafka.produce(name, [{"value": b"{}"}] * 10)
    file = pipeline()
    sfrun.run(file, "--once", cwd=tmp_path)
    with contextlib.closing(kafka.consumer(name)) as consumer:
        consumer.commit(offsets=[TopicPartition(name, 0, 3)], asynchronous=False)
    assert kafka.lag(name, name) == 7
    no_lag(kafka, name, start(file))


# ---- where reading begins ----

@pytest.mark.parametrize("sfrun", [LIBRDKAFKAS[0], LIBRDKAFKAS[-1]], indirect=True, ids=["built-with", "newest"])
def test_latest_reads_new_partitions_from_their_beginning(kafka, pipeline, start, name, tmp_path):
    """What was there before the first start stays out; partitions that come while it runs, and while it is stopped, are new."""
    kafka.create_topic(name, 2)
    kafka.produce(name, [{"value": b"old", "partition": i % 2} for i in range(10)])
    file = pipeline(source="    start: latest\n    kafka: {topic.metadata.refresh.interval.ms: 500}")

    def grow(partitions):
        kafka.add_partitions(name, partitions)
        kafka.produce(name, [{"value": f"{p} of {partitions}".encode(), "partition": p} for p in range(partitions)])

    process = start(file)
    wait_for(lambda: kafka.committed(name, name) == {0: 5, 1: 5}, 60, lambda: process.output)
    grow(3)
    no_lag(kafka, name, process)
    assert process.stop() == 0
    grow(4)
    process = start(file)
    no_lag(kafka, name, process)
    assert process.stop() == 0
    assert sorted(json.loads(line)["value"] for line in lines(tmp_path / "out")) == sorted([f"{p} of 3" for p in range(3)] + [f"{p} of 4" for p in range(4)])


# ---- groups ----

def visit(kafka, job):
    """Another member comes, takes partitions, and goes: two rebalances."""
    got = []
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": job.group, "partition.assignment.strategy": "roundrobin",
                         "enable.auto.commit": False, "log_level": 0})
    consumer.subscribe([job.topic], on_assign=lambda _, partitions: got.extend(partitions))
    deadline = time.monotonic() + 30
    while not got and time.monotonic() < deadline:
        consumer.poll(0.05)
    consumer.close()
    assert got, "the visitor got no partition"


def test_rebalances_under_load(sfrun, kafka, name, tmp_path):
    job = Job(tmp_path, name, kafka)
    job.create_topics(partitions=4)
    done = threading.Event()

    def produce():
        seed = 0
        while not done.is_set():
            kafka.produce(job.topic, Sales(1000, seed=seed, partitions=4).messages())
            seed += 1
            done.wait(0.3)

    thread = threading.Thread(target=produce)
    thread.start()
    try:
        process = sfrun.start(job.file, env=job.env, cwd=job.directory)
        wait_for(lambda: sum(kafka.committed(job.group, job.topic).values()) > 1000, 60, lambda: process.output)
        for _ in range(8):
            visit(kafka, job)
    finally:
        done.set()
        thread.join()
    wait_for(lambda: job.lag() == 0, 60, lambda: process.output[-3000:], every=0.3)
    assert process.stop() == 0, process.output[-3000:]
    assert sum("assigned" in line for line in process.lines) >= 8
    expected = Expected(kafka.read(job.topic))
    proof.bronze(expected, job.bronze(), job.topic)
    proof.silver(expected, TableReaders(job.silver_url))
    proof.gold(expected, job.gold())
    proof.rejects(expected, kafka.read(job.rejects))


def test_a_restart_after_a_kill_says_what_it_waits_for(kafka, pipeline, start, name):
    kafka.create_topic(name, 1)
    kafka.produce(name, [{"value": b"{}"}])
    first = start(pipeline())
    no_lag(kafka, name, first)
    first.kill()
    begin = time.monotonic()
    second = start(pipeline())
    line = second.wait_line("waiting for partitions of group", 20)
    assert "PreparingRebalance" in line and re.search(r"streamforge-\S+-\d+ at /127\.0\.0\.1", line) and "session.timeout.ms: 10000" in line, line
    second.wait_line("assigned", 20)
    assert time.monotonic() - begin < 20


def test_static_members_are_not_waited_for(kafka, pipeline, start, name):
    kafka.create_topic(name, 4)
    kafka.produce(name, [{"value": b"{}", "partition": i} for i in range(4)])
    file = pipeline(source="    kafka: {group.instance.id: one, session.timeout.ms: 60000}", settings="tasks: 2")
    first = start(file)
    no_lag(kafka, name, first)
    first.kill()
    kafka.produce(name, [{"value": b"{}", "partition": i} for i in range(4)])
    no_lag(kafka, name, start(file))


def test_two_bounded_processes_share_the_work_and_end(kafka, pipeline, start, name, tmp_path):
    kafka.create_topic(name, 4)
    kafka.produce(name, [{"value": b'{"n": %d}' % i, "partition": i % 4} for i in range(100000)])
    file = pipeline()
    processes = [start(file, "--once") for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0], "\n---\n".join(process.output for process in processes)
    assert kafka.lag(name, name) == 0
    assert len(lines(tmp_path / "out")) == len(set(lines(tmp_path / "out"))) == 100000


# ---- topics ----

def create_anew(kafka, topic, messages):
    kafka.delete_topic(topic)

    def created():
        with contextlib.suppress(KafkaException):  # the broker may still be deleting
            kafka.create_topic(topic, 1)
            return True
    wait_for(created, 20, "the topic cannot be created")
    kafka.produce(topic, messages)


def events(n, seed):
    now = int(time.time() * 1000)
    return [{**message, "timestamp": now} for message in Sales(n, seed=seed, partitions=1, broken=0).messages()]


@pytest.mark.parametrize("grown, message", [(50, r"ends at offset 50, but the sinks have it up to 100"),
                                            (300, r"was deleted and created anew, and has grown since")], ids=["smaller", "grown"])
def test_a_topic_created_anew_stops_with_a_choice(sfrun, kafka, name, tmp_path, grown, message):
    job = Job(tmp_path, name, kafka)
    job.create_topics(partitions=1)
    kafka.produce(job.topic, events(100, 1))

    def once():
        return sfrun.run(job.file, "--once", env=job.env, cwd=job.directory, check=False)

    assert once().returncode == 0
    old = job.bronze()
    create_anew(kafka, job.topic, events(grown, 2))
    done = once()
    assert done.returncode == 2 and message in done.stderr and "set 'epoch: 2'" in done.stderr, done.stderr
    assert job.bronze() == old

    job.replace(f"    group: {name}\n", f"    group: {name}\n    epoch: 2\n")
    done = once()
    assert done.returncode == 0, done.stderr
    new = {key: body for key, body in job.bronze().items() if key not in old}
    assert old.items() <= job.bronze().items(), "objects of the old topic were touched"
    written = [body for key, body in new.items() if not key.startswith("_sf/")]
    assert b"".join(written).count(b"\n") == grown
    assert TableReaders(job.silver_url).duckdb("SELECT COUNT(*) FROM t") == [(str(100 + grown),)]


GOLD = """
  orders: {{transform: json-decode, from: events, schema: {{order_id: string not null}}}}
  gold: {{sink: snowflake-gold-sink, from: orders, connection: 'Driver=SQLite3;Database={database}', facts: {{orders: {{key: order_id}}}}}}
"""


def test_the_warehouse_alone_knows_a_topic_created_anew(sfrun, kafka, pipeline, name, tmp_path):
    """By the time in its ledger: no other sink remembers the topic that was."""
    kafka.create_topic(name, 1)
    kafka.produce(name, events(100, 1))
    file = pipeline(GOLD.format(database=tmp_path / "gold.db"))
    sfrun.run(file, "--once", cwd=tmp_path)
    create_anew(kafka, name, events(300, 2))
    done = sfrun.run(file, "--once", cwd=tmp_path, check=False)
    assert done.returncode == 2 and "was deleted and created anew, and has grown since" in done.stderr, done.stderr


def test_a_topic_created_anew_stops_a_running_pipeline(sfrun, kafka, name, tmp_path):
    job = Job(tmp_path, name, kafka)
    job.create_topics(partitions=1)
    kafka.produce(job.topic, events(100, 1))
    process = sfrun.start(job.file, env=job.env, cwd=job.directory)
    wait_for(lambda: job.lag() == 0, 60, lambda: process.output[-3000:], every=0.2)
    create_anew(kafka, job.topic, events(20, 2))
    assert process.wait(60) == 2, process.output[-3000:]
    assert "set 'epoch: 2'" in process.output, process.output[-3000:]


with_topic_ids = pytest.mark.parametrize("sfrun", LIBRDKAFKAS[1:], indirect=True)


@with_topic_ids
def test_a_running_pipeline_knows_a_topic_created_anew_by_its_id(sfrun, kafka, pipeline, name, tmp_path):
    """It has grown past what was read of the old one, and no sink knows times."""
    kafka.create_topic(name, 1)
    kafka.produce(name, events(10, 1))
    process = sfrun.start(pipeline(), env={"XDG_RUNTIME_DIR": tmp_path}, cwd=tmp_path)
    no_lag(kafka, name, process)
    create_anew(kafka, name, events(300, 2))
    assert process.wait(60) == 2, process.output[-3000:]
    assert "was deleted and created anew: its id was" in process.output, process.output[-3000:]


@with_topic_ids
def test_the_groups_offset_says_of_which_topic_it_is(sfrun, kafka, pipeline, name, tmp_path):
    """A process that had not seen the end of the old topic has committed its offset for the new one."""
    kafka.create_topic(name, 1)
    kafka.produce(name, events(10, 1))
    sfrun.run(pipeline(), "--once", cwd=tmp_path)
    with contextlib.closing(kafka.consumer(name)) as consumer:
        late = consumer.committed([TopicPartition(name, 0)], timeout=20)
        create_anew(kafka, name, events(300, 2))
        consumer.commit(offsets=late, asynchronous=False)
    done = sfrun.run(pipeline(), "--once", cwd=tmp_path, check=False)
    assert done.returncode == 2 and "its id was" in done.stderr, done.stderr
    anew = pipeline(source="    epoch: 2")
    assert sfrun.run(anew, "--once", cwd=tmp_path).returncode == 0
    kafka.produce(name, events(1, 3))
    assert sfrun.run(anew, "--once", cwd=tmp_path).returncode == 0
    assert len(lines(tmp_path / "out")) == 311


KEEP_IDS = {"bronze": "  copy: {sink: s3-bronze-sink, from: events, url: ./raw, format: raw}",
            "silver": "  rows: {transform: json-decode, from: events, schema: {order_id: string}}\n  copy: {sink: delta-silver-sink, from: rows, url: ./silver}"}


@with_topic_ids
@pytest.mark.parametrize("sink", KEEP_IDS)
def test_a_topic_created_anew_while_it_was_stopped_is_known_by_its_id(sfrun, kafka, pipeline, name, tmp_path, sink):
    """The group has forgotten the old topic, and the new one has grown past it: only the sink knows."""
    kafka.create_topic(name, 1)
    kafka.produce(name, events(10, 1))
    sfrun.run(pipeline(KEEP_IDS[sink]), "--once", cwd=tmp_path)
    assert sfrun.run(pipeline(KEEP_IDS[sink]), "--once", cwd=tmp_path).returncode == 0  # the same topic
    create_anew(kafka, name, events(300, 2))
    done = sfrun.run(pipeline(KEEP_IDS[sink]), "--once", cwd=tmp_path, check=False)
    assert done.returncode == 2 and re.search(r"its id was \S{22}, and is \S{22} now; set 'epoch: 2'", done.stderr), done.stderr
    anew = pipeline(KEEP_IDS[sink], source="    epoch: 2")
    for _ in range(2):
        sfrun.run(anew, "--once", cwd=tmp_path)
    objects = [file for file in tmp_path.glob("raw/**/*") if file.is_file() and "_sf" not in file.parts]
    rows = sum(file.read_bytes().count(b"\n") for file in objects) if sink == "bronze" \
        else deltalake.DeltaTable(tmp_path / "silver").to_pyarrow_table().num_rows
    assert rows == 310


def test_a_new_group_is_no_new_topic(sfrun, kafka, pipeline, name, tmp_path):
    """The group has no offset, but records are older than the commits that have them."""
    job = Job(tmp_path, name, kafka)
    job.create_topics(partitions=1)
    kafka.produce(job.topic, Sales(100, seed=1, partitions=1).messages())
    sfrun.run(job.file, "--once", env=job.env, cwd=job.directory)
    job.replace(f"    group: {name}\n", f"    group: {name}-other\n")
    kafka.produce(job.topic, events(10, 2))
    done = sfrun.run(job.file, "--once", env=job.env, cwd=job.directory)
    assert "has no offset there" in done.stderr, done.stderr
    assert kafka.lag(f"{name}-other", job.topic) == 0


def test_one_topic_that_is_missing_does_not_stop_the_others(sfrun, kafka, pipeline, name, tmp_path):
    kafka.create_topic(name, 1)
    kafka.produce(name, [{"value": b"{}"}] * 5)
    done = sfrun.run(pipeline(topics=f"{name}, {name}-missing", source="    missing_topic: stop"), "--once", cwd=tmp_path)
    assert f"topic '{name}-missing' does not exist" in done.stderr
    assert len(lines(tmp_path / "out")) == 5
    none = sfrun.run(pipeline(topics=f"{name}-gone, {name}-missing", source="    missing_topic: stop"), "--once", cwd=tmp_path, check=False)
    assert none.returncode == 2, none.stderr


# ---- rows that a topic does not take ----

@pytest.mark.parametrize("config, cause", [({"cleanup_policy": "compact"}, "has no key"),
                                           ({"message_timestamp_before_max_ms": 3600000}, "is outside of what topic")], ids=["key", "time"])
def test_only_the_record_that_breaks_a_rule_is_rejected(sfrun, kafka, pipeline, name, tmp_path, config, cause):
    kafka.create_topic(name, 1)
    kafka.create_topic(f"{name}-copy", 1, **config)
    now = int(time.time() * 1000)
    kafka.produce(name, [{"value": b"%d" % i, "key": b"k" if i % 3 else None, "timestamp": now if i % 3 else now - 86400000}
                         for i in range(30)])
    steps = f"""
  copy: {{sink: kafka-sink, from: events, brokers: '{kafka.brokers}', topic: {name}-copy}}
  rejects: {{sink: file-sink, from: copy.errors, path: rejects}}
"""
    sfrun.run(pipeline(steps), "--once", cwd=tmp_path)
    assert [int(message.value()) for message in kafka.read(f"{name}-copy")] == [i for i in range(30) if i % 3]
    rejected = lines(tmp_path / "rejects")
    assert len(rejected) == 10 and all(cause in line for line in rejected), rejected

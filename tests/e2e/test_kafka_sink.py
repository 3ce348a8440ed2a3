"""kafka-sink and a real broker's own mind: names that are none, sizes, limits of the process, others who take over."""

import json
import random
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from testbed.server import wait_for

PIPELINE = """
pipeline: {name}
checkpoint: 500ms
steps:
{steps}
"""


@pytest.fixture
def pipeline(name, tmp_path):
    def write(steps):
        file = tmp_path / "sink.yaml"
        file.write_text(PIPELINE.format(name=name, steps=steps))
        return file
    return write


TO_TOPICS = """
  lines: {{source: file-source, path: input.jsonl}}
  rows: {{transform: json-decode, from: lines, provenance: false, schema: {{i: int, t: string}}}}
  out: {{sink: kafka-sink, from: rows, brokers: '{brokers}', topic: {name}, topic_column: t, create_topic: {create}}}
  errors: {{sink: file-sink, from: out.errors, path: errors}}
"""


@pytest.mark.parametrize("create", ["true", "false"])
def test_a_topic_that_is_none_rejects_its_row_alone(sfrun, kafka, pipeline, name, tmp_path, create):
    kafka.create_topic(name, 1)
    rows = [{"i": 1, "t": None}, {"i": 2, "t": "a/b"}, {"i": 3, "t": f"{name}-missing"}, {"i": 4, "t": "x" * 250}, {"i": 5, "t": None}]
    (tmp_path / "input.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sfrun.run(pipeline(TO_TOPICS.format(brokers=kafka.brokers, name=name, create=create)), "--once", cwd=tmp_path)
    assert [json.loads(message.value())["i"] for message in kafka.read(name)] == [1, 5]
    errors = [json.loads(line) for file in (tmp_path / "errors").glob("*.jsonl") for line in file.read_text().splitlines()]
    causes = {error["i"]: error["_error"] for error in errors}
    assert "'a/b'" in causes[2] and "is not a valid topic name" in causes[4]
    if create == "true":
        assert sorted(causes) == [2, 4]
        assert [json.loads(message.value())["i"] for message in kafka.read(f"{name}-missing")] == [3]
    else:
        assert causes[3] == f"t: topic '{name}-missing' does not exist"


COPY = """
  events: {{source: kafka-source, brokers: '{brokers}', topics: [{name}]}}
  copy: {{sink: kafka-sink, from: events, brokers: '{brokers}', topic: {name}-copy}}
"""


def test_what_the_topic_takes_is_written(sfrun, kafka, pipeline, name, tmp_path):
    """More than the client's default of 1,000,000 bytes, alone and among others, and more than the topic's limit before compression."""
    kafka.create_topic(name, 1, max_message_bytes=4000000)
    kafka.create_topic(f"{name}-copy", 1)
    values = [b"small", b"x" * 1010000, b"small too", b"z" * 3000000]
    kafka.produce(name, [{"value": value} for value in values])
    sfrun.run(pipeline(COPY.format(brokers=kafka.brokers, name=name)), "--once", cwd=tmp_path)
    assert [len(message.value()) for message in kafka.read(f"{name}-copy")] == [len(value) for value in values]


# ---- topics that do not exist: both servers make one for a producer that only asks for it ----

@pytest.fixture(params=["kafka", "broker"])
def server(request):
    return request.getfixturevalue(request.param)


FILES = """
  lines: {{source: file-source, path: input.jsonl}}
  rows: {{transform: json-decode, from: lines, provenance: false, schema: {{i: int}}}}
  out: {{sink: {out}}}
  rejects: {{sink: kafka-sink, from: rows.errors, brokers: '{brokers}', topic: {name}-dlq}}
"""


def said(text, topic):
    return f"topic '{topic}' does not exist on" in text and f"create it: sfrun topics create {topic}" in text


def test_a_missing_topic_is_said_and_not_created(sfrun, server, pipeline, name, tmp_path):
    (tmp_path / "input.jsonl").write_text('{"i": 1}\n')
    env = {"KAFKA_BROKERS": server.brokers}
    sink = FILES.format(brokers=server.brokers, name=name, out=f"kafka-sink, from: rows, brokers: '{server.brokers}', topic: {name}")
    waits = sfrun.run(pipeline(sink), "--once", "--give-up-after", "1s", cwd=tmp_path, check=False)
    assert waits.returncode == 1 and said(waits.stderr, name), waits.stderr
    stops = sfrun.run(pipeline(sink.replace(f"topic: {name}}}", f"topic: {name}, missing_topic: stop}}")), "--once", cwd=tmp_path, check=False)
    assert stops.returncode == 2 and said(stops.stderr, name), stops.stderr
    source = f"  events: {{source: kafka-source, brokers: '{server.brokers}', topics: [{name}], missing_topic: stop}}\n" \
             "  out: {sink: file-sink, from: events, path: out}"
    reads = sfrun.run(pipeline(source), "--once", cwd=tmp_path, check=False)
    assert reads.returncode == 2 and said(reads.stderr, name), reads.stderr
    produce = sfrun.run("produce", "--events", 1, "--topic", name, env=env, check=False)
    assert produce.returncode == 2 and said(produce.stderr, name), produce.stderr
    tap = sfrun.run("tap", "--topic", name, "--exit", env=env, check=False)
    assert tap.returncode == 1 and f"topic '{name}' does not exist" in tap.stderr, tap.stderr
    assert not [topic for topic in server.topics() if topic.startswith(name)]


def test_a_topic_is_created_as_a_person_says(sfrun, server, pipeline, name, tmp_path):
    (tmp_path / "input.jsonl").write_text('{"i": 1}\n')
    made = "partitions: 3, topic_config: {max.message.bytes: 5000}"
    sink = FILES.format(brokers=server.brokers, name=name, out=f"kafka-sink, from: rows, brokers: '{server.brokers}', topic: {name}, {made}")
    sfrun.run(pipeline(sink), "--once", cwd=tmp_path)
    assert len(server.topics()[name].partitions) == 3 and len(list(server.read(name))) == 1
    sfrun.run("produce", "--events", 2, "--interval", 0, "--topic", f"{name}b", "--partitions", 2, env={"KAFKA_BROKERS": server.brokers})
    assert len(server.topics()[f"{name}b"].partitions) == 2


def test_the_first_reject_creates_its_topic(sfrun, server, pipeline, name, tmp_path):
    server.create_topic(name, 2)
    server.produce(name, [{"value": b'{"id": 1}', "partition": i % 2} for i in range(10)])
    file = pipeline(REJECTS.format(brokers=server.brokers, name=name))
    first = sfrun.run(file, "--once", cwd=tmp_path)
    assert f"topic {name}-dlq does not exist; it is created when the first reject comes" in first.stderr
    assert f"{name}-dlq" not in server.topics()
    server.produce(name, [{"value": value, "partition": 0} for value in (b'{"id": 2}', b"no", b"neither")])
    second = sfrun.run(file, "--once", cwd=tmp_path)
    assert f"created topic {name}-dlq" in second.stderr
    assert [message.value() for message in server.read(f"{name}-dlq")] == [b"no", b"neither"]
    sfrun.run(file, "--once", cwd=tmp_path)
    assert len(list(server.read(f"{name}-dlq"))) == 2


def test_a_topic_that_was_deleted_stays_so(sfrun, server, name, tmp_path):
    server.create_topic(name, 1)
    producer = sfrun.start("produce", "--interval", 0.05, "--topic", name, "--brokers", server.brokers, cwd=tmp_path)
    try:
        wait_for(lambda: server.ends(name)[0][1] >= 3, 60, lambda: producer.output, every=0.2)
        server.delete_topic(name)
        wait_for(lambda: said(producer.output, name), 120, lambda: producer.output, every=0.2)
        assert name not in server.topics()
    finally:
        producer.kill()


REJECTS = """
  events: {{source: kafka-source, brokers: '{brokers}', topics: [{name}]}}
  rows: {{transform: json-decode, from: events, schema: {{id: int}}}}
  out: {{sink: file-sink, from: rows, path: out}}
  rejects: {{sink: kafka-sink, from: rows.errors, brokers: '{brokers}', topic: {name}-dlq}}
"""


def test_a_reject_that_its_topic_does_not_take_is_cut(sfrun, kafka, pipeline, name, tmp_path):
    kafka.create_topic(name, 1)
    kafka.create_topic(f"{name}-dlq", 1, max_message_bytes=2000)
    large = b'{"id": "' + bytes(random.Random(1).choices(range(97, 123), k=5000)) + b'"}'
    kafka.produce(name, [{"value": value, "key": b"k"} for value in (b"{}", large, b"no", b'{"id": 1}', b"{")])
    sfrun.run(pipeline(REJECTS.format(brokers=kafka.brokers, name=name)), "--once", cwd=tmp_path)
    rejects = {dict(message.headers())["sf.offset"]: message for message in kafka.read(f"{name}-dlq")}
    assert sorted(rejects) == [b"1", b"2", b"4"]
    headers = dict(rejects[b"1"].headers())
    assert large.startswith(rejects[b"1"].value()) and len(rejects[b"1"].value()) > 1000
    assert headers["sf.topic"] == name.encode() and headers["sf.size"] == str(len(large)).encode() and rejects[b"1"].key() == b"k"
    assert rejects[b"2"].value() == b"no" and "sf.size" not in dict(rejects[b"2"].headers())


def wait_for_refusal(process):
    """The second one, of a record by itself: what follows is the last try, within milliseconds."""
    deadline = time.monotonic() + 120
    while sum("Message size too large" in line for line in process.lines) < 2:
        assert process.alive() and time.monotonic() < deadline, process.output
        time.sleep(0.001)


def refused_while_another_takes_over(sfrun, kafka, name, directory, delay):
    """One round: the sf.offset of every record in the DLQ."""
    directory.mkdir()
    kafka.create_topic(name, 1)
    kafka.create_topic(f"{name}-dlq", 1, max_message_bytes=2000)
    file = directory / "sink.yaml"
    kafka.create_topic(f"{name}-out", 1)
    steps = REJECTS.format(brokers=kafka.brokers, name=name).replace("}", ", kafka: {session.timeout.ms: 2000}}", 1).replace(
        "file-sink, from: rows, path: out", f"kafka-sink, from: rows, brokers: '{kafka.brokers}', topic: {name}-out")  # no lock on files
    file.write_text(PIPELINE.format(name=name, steps=steps))

    def offsets():
        return sorted(int(dict(message.headers())["sf.offset"]) for message in kafka.read(f"{name}-dlq"))

    large = b'{"id": "' + random.Random(delay).randbytes(2500).hex().encode() + b'"}'
    kafka.produce(name, [{"value": value} for value in (b"no", large, b"{", b'{"id": 1}')])
    first = sfrun.start(file, cwd=directory, env={"XDG_RUNTIME_DIR": directory})
    second = None
    try:
        wait_for_refusal(first)
        time.sleep(delay / 1000)
        first.signal(signal.SIGSTOP)
        second = sfrun.start(file, cwd=directory, env={"XDG_RUNTIME_DIR": directory})
        wait_for(lambda: len(offsets()) >= 3, 120, lambda: second.output, every=0.5)
        lines = len(first.lines)
        first.signal(signal.SIGCONT)
        wait_for(lambda: len(first.lines) > lines or not first.alive(), 120, lambda: first.output, every=0.1)
        kafka.produce(name, [{"value": b"nor that"}, {"value": large}])
        wait_for(lambda: {0, 1, 2, 4, 5} <= set(offsets()), 120, lambda: f"{offsets()}\n{first.output}\n{second.output}", every=0.5)
        assert first.stop() == 0, first.output
        assert second.stop() == 0, second.output
        return offsets()
    finally:
        first.signal(signal.SIGCONT)
        first.kill()
        if second:
            second.kill()


def test_refused_records_are_not_doubled_by_a_takeover(sfrun, kafka, name, tmp_path):
    """A record is refused, its producer starts anew, and meanwhile another process has the split."""
    delays = [0, 15, 30, 45, 60, 80]
    with ThreadPoolExecutor(3) as pool:
        rounds = [pool.submit(refused_while_another_takes_over, sfrun, kafka, f"{name}-{delay}", tmp_path / str(delay), delay) for delay in delays]
        assert [each.result() for each in rounds] == [[0, 1, 2, 4, 5]] * len(delays)


def test_a_thousand_partitions_need_few_descriptors(sfrun, kafka, pipeline, name, tmp_path):
    kafka.create_topic(name, 1000)
    kafka.create_topic(f"{name}-dlq", 1)
    kafka.produce(name, [{"value": b"{}" if i % 50 else b"no", "partition": i} for i in range(1000)])
    file = pipeline(REJECTS.format(brokers=kafka.brokers, name=name).replace("sink: file-sink", "sink: kafka-sink").replace(
        "path: out", f"brokers: '{kafka.brokers}', topic: {name}-dlq, delivery: at-least-once"))

    def limited():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    done = subprocess.run([sfrun.binary, file, "--once"], cwd=tmp_path, env=sfrun.environment({"XDG_RUNTIME_DIR": tmp_path}),
                          capture_output=True, text=True, timeout=300, preexec_fn=limited, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    rejected = [message for message in kafka.read(f"{name}-dlq") if message.headers()]
    assert sorted(int(dict(message.headers())["sf.partition"]) for message in rejected) == list(range(0, 1000, 50))
    sfrun.run(file, "--once", cwd=tmp_path)
    assert len(list(kafka.read(f"{name}-dlq"))) == 1000

"""kafka-sink and a real broker's own mind: names that are none, sizes, limits of the process, others who take over."""

import json
import random
import resource
import subprocess

import pytest

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
    assert "'a/b'" in causes[2] and "is no topic's name" in causes[4]
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

"""The operator's commands against a real broker, and their JSON."""

import json
import re
import threading

import pytest

from pipeline import Job
from testbed import Sales
from testbed.server import wait_for


@pytest.fixture
def run(sfrun, kafka, tmp_path):
    def run(*arguments, **options):
        return sfrun.run(*arguments, env={"KAFKA_BROKERS": kafka.brokers, "XDG_RUNTIME_DIR": tmp_path}, cwd=tmp_path, **options)
    return run


def test_topics_from_create_to_delete(run, kafka, name):
    created = run("topics", "create", name, "--partitions", 3, "--replication-factor", 1, "--config", "retention.ms=3600000")
    assert created.stdout == f"Created topic {name}.\n"
    described = run("topics", "describe", name).stdout
    assert re.search(rf"Topic: {name}\b.*PartitionCount: 3\b.*ReplicationFactor: 1\b", described), described
    assert len(re.findall(r"Partition: \d", described)) == 3
    assert "retention.ms=3600000" in described
    assert name in run("topics", "list").stdout.splitlines()
    run("topics", "alter", name, "--partitions", 10)
    assert len(kafka.topics()[name].partitions) == 10
    run("topics", "delete", name)
    wait_for(lambda: name not in kafka.topics(), 20, "topic is still there")


def test_topics_as_json(run, name):
    run("topics", "create", name, "--partitions", 2)
    listed = json.loads(run("topics", "list", "--json").stdout)
    assert name in json.dumps(listed)
    described = json.loads(run("topics", "describe", name, "--json").stdout)
    text = json.dumps(described)
    assert name in text and "partitions" in text


@pytest.mark.parametrize("arguments, message", [
    (("create", "{name}", "--partitions", 1), r"exists"),
    (("describe", "{name}x"), r"{name}x"),
    (("delete", "{name}x"), r"{name}x"),
    (("alter", "{name}", "--partitions", 1), r"partition"),
])
def test_topics_refused_say_why(run, kafka, name, arguments, message):
    kafka.create_topic(name, 2)
    done = run("topics", *(str(word).format(name=name) for word in arguments), check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(message.format(name=name), done.stderr), done.stderr


def test_what_one_command_did_the_next_one_sees(run, kafka, name):
    """At once: brokers learn of topics, and of the ends of transactions, a moment after they have answered."""
    def topics():
        return [topic["topic"] for topic in json.loads(run("topics", "list", "--json").stdout)]

    for number in range(10):
        topic = f"{name}{number}"
        run("topics", "create", topic, "--partitions", 5)
        assert topic in topics()
        run("produce", "--events", 40, "--interval", 0, "--topic", topic)
        assert sum(high - low for low, high in kafka.ends(topic).values()) >= 40
        run("topics", "alter", topic, "--partitions", 7)
        assert len(kafka.topics()[topic].partitions) == 7
        run("topics", "delete", topic)
        assert topic not in topics()


def test_no_broker_is_said_soon(sfrun, tmp_path):
    done = sfrun.run("topics", "list", env={"KAFKA_BROKERS": "127.0.0.1:1"}, check=False, seconds=40)
    assert done.returncode == 1 and re.search(r"127\.0\.0\.1:1\b.*refused", done.stderr), done.stderr


def test_produce_and_tap(run, kafka, name):
    kafka.create_topic(name, 3)
    run("produce", "--events", 50, "--interval", 0, "--topic", name, "--seed", 5)
    records = list(kafka.read(name))
    assert len(records) == 50
    event = json.loads(records[0].value())
    assert {"order_id", "order_date", "customer_id", "product_id", "sales", "quantity", "customer_name", "product_name", "category", "region",
            "discount", "profit"} <= set(event)
    tapped = run("tap", "--topic", name, "--from-beginning", "--max-messages", 5)
    assert len(tapped.stdout.splitlines()) == 5
    assert all(json.loads(line) for line in tapped.stdout.splitlines())


def test_tap_reads_every_partition_to_its_end(run, kafka, name):
    """Though one of them grows, and so ends again and again, long before the others are read."""
    kafka.create_topic(name, 3)
    kafka.produce(name, [{"value": b"x" * 300, "partition": 1 + i % 2} for i in range(200000)])
    done = threading.Event()

    def grow():
        while not done.is_set():
            kafka.produce(name, [{"value": b"y", "partition": 0}])

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        tapped = run("tap", "--topic", name, "--from-beginning", "--exit").stdout
    finally:
        done.set()
        thread.join()
    assert sum(line.startswith("x") for line in tapped.splitlines()) == 200000


def test_properties_by_x(run, name):
    wrong = run("topics", "list", "-X", "fetch.min.byte=1", check=False)
    assert wrong.returncode == 2 and "did you mean 'fetch.min.bytes'?" in wrong.stderr, wrong.stderr
    refused = run("produce", "--topic", name, "-X", "acks=it's \"two\" words of ${HOME}", check=False)
    assert refused.returncode == 2 and "it's \"two\" words of ${HOME}" in refused.stderr, refused.stderr


def test_the_same_seed_gives_the_same_events(run, kafka, name):
    kafka.create_topic(name, 1)
    kafka.create_topic(f"{name}b", 1)
    for topic in (name, f"{name}b"):
        run("produce", "--events", 20, "--interval", 0, "--topic", topic, "--seed", 5)
    ids = [[json.loads(message.value())["order_id"] for message in kafka.read(topic)] for topic in (name, f"{name}b")]
    assert ids[0] == ids[1] and len(ids[0]) == 20


@pytest.mark.parametrize("file", ["sales", "producer", "bronze"])
def test_check_accepts_the_examples(sfrun, root, file):
    sfrun.run("check", root / "pipelines" / f"{file}.yaml")


def test_plugins(run):
    listed = run("plugins").stdout
    for plugin in ("kafka-source", "generator-source", "file-source", "json-decode", "example-filter", "s3-bronze-sink", "delta-silver-sink",
                   "snowflake-gold-sink", "kafka-sink", "file-sink"):
        assert plugin in listed
    assert {entry["name"] for entry in json.loads(run("plugins", "--json").stdout)} >= {"kafka-source", "file-sink"}
    one = run("plugins", "s3-bronze-sink").stdout
    assert "flush.size" in one and "rotate.interval.ms" in one
    assert json.loads(run("plugins", "s3-bronze-sink", "--json").stdout)["name"] == "s3-bronze-sink"


def test_status_of_a_running_pipeline(sfrun, kafka, name, tmp_path):
    job = Job(tmp_path, name, kafka)
    job.create_topics()
    kafka.produce(job.topic, Sales(1000, seed=1).messages())
    process = sfrun.start(job.file, env=job.env, cwd=tmp_path)
    wait_for(lambda: job.lag() == 0, 60, lambda: process.output[-3000:], every=0.2)
    status = sfrun.run("status", env=job.env).stdout
    assert name in status and "bronze" in status and "gold" in status
    document = sfrun.json("status", "--json", env=job.env)
    assert name in json.dumps(document)
    assert process.stop() == 0
    gone = sfrun.run("status", env=job.env, check=False)
    assert name not in gone.stdout


@pytest.mark.parametrize("command", ["run", "check", "plugins", "status", "topics", "produce", "tap", "broker"])
def test_help_is_on_standard_output(run, command):
    done = run(command, "--help")
    assert command in done.stdout and "--json" in done.stdout or command in ("run", "broker")
    assert not done.stderr


def test_an_unknown_word_names_the_nearest(run):
    done = run("topcis", check=False)
    assert done.returncode == 2 and "topics" in done.stderr, done.stderr

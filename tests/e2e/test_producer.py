"""The sales event producer: by Kafka transactions, exactly once, also when it is killed."""

import json
import random
import re
import time

from testbed.server import wait_for

PRODUCER = """\
pipeline: {name}
checkpoint: 200ms
steps:
  events:
    source: generator-source
    events: {events}
    interval: 0s
    seed: 11
    duplicates: 0
    broken: 0
  out:
    sink: kafka-sink
    from: events
    brokers: {brokers}
    topic: {name}
"""


def test_killed_and_restarted_each_event_is_there_once(sfrun, kafka, name, tmp_path, seed):
    rng = random.Random(seed)
    kafka.create_topic(name, 3)
    (tmp_path / "producer.yaml").write_text(PRODUCER.format(name=name, events=200000, brokers=kafka.brokers))
    env = {"XDG_RUNTIME_DIR": tmp_path}
    for _ in range(8):
        process = sfrun.start("producer.yaml", "--once", env=env, cwd=tmp_path)
        time.sleep(rng.uniform(0.1, 1.5))
        process.kill()
    sfrun.run("producer.yaml", "--once", env=env, cwd=tmp_path)
    orders = [json.loads(message.value())["order_id"] for message in kafka.read(name)]
    assert len(orders) == 200000
    assert len(set(orders)) == 200000


def test_log_lines_are_those_that_operators_know(sfrun, kafka, name, tmp_path):
    kafka.create_topic(name, 1)
    done = sfrun.run("produce", "--events", 3, "--interval", 0, "--topic", name, "--brokers", kafka.brokers, cwd=tmp_path)
    text = done.stdout + done.stderr
    assert re.search(rf"\[\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO - Connected to Kafka broker: {kafka.brokers}", text), text
    assert f"INFO - Producing to topic: {name}" in text
    assert re.search(r"INFO - Event 3/3 produced - Order ID: ORD-\d+", text), text
    assert len(list(kafka.read(name))) == 3


def test_interval_and_sigterm(sfrun, kafka, name, tmp_path):
    kafka.create_topic(name, 1)
    process = sfrun.start("produce", "--interval", 0.2, "--topic", name, "--brokers", kafka.brokers, cwd=tmp_path)
    wait_for(lambda: kafka.ends(name)[0][1] >= 3, 30, lambda: process.output, every=0.2)
    assert process.stop() == 0, process.output
    assert list(kafka.read(name))

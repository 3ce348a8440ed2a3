"""The embedded broker by foreign clients (the librdkafka of confluent_kafka, newer than ours): transactions, groups, kills, other users."""

import contextlib
import os
import subprocess
import sys
import threading
import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from testbed import Broker
from testbed.server import wait_for


def transactional(broker, name, **settings):
    producer = Producer({"bootstrap.servers": broker.brokers, "transactional.id": name, "log_level": 0, **settings})
    producer.init_transactions(30)
    return producer


def send(producer, topic, values, partition=0):
    for value in values:
        producer.produce(topic, value=value, partition=partition)
    assert producer.flush(30) == 0


def values(broker, topic):
    return [message.value() for message in broker.read(topic)]


def test_what_was_aborted_is_not_read(broker, name):
    broker.create_topic(name, 1)
    producer = transactional(broker, name)
    for end, value in ((producer.abort_transaction, b"no"), (producer.commit_transaction, b"yes"), (producer.abort_transaction, b"not")):
        producer.begin_transaction()
        send(producer, name, [value] * 3)
        end(30)
    broker.produce(name, [{"value": b"plain"}])
    assert values(broker, name) == [b"yes"] * 3 + [b"plain"]


def test_an_open_transaction_holds_readers_of_committed_records_back(broker, name):
    broker.create_topic(name, 1)
    producer = transactional(broker, name)
    producer.begin_transaction()
    send(producer, name, [b"a"])
    assert broker.ends(name) == {0: (0, 0)}
    producer.commit_transaction(30)
    assert broker.ends(name) == {0: (0, 2)}


@pytest.mark.parametrize("commit", [True, False])
def test_offsets_belong_to_their_transaction(broker, name, commit):
    broker.create_topic(name, 1)
    producer = transactional(broker, name)
    with contextlib.closing(broker.consumer(name)) as consumer:
        producer.begin_transaction()
        send(producer, name, [b"a"])
        producer.send_offsets_to_transaction([TopicPartition(name, 0, 41)], consumer.consumer_group_metadata(), 30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)
    assert broker.committed(name, name) == ({0: 41} if commit else {})


def test_a_second_producer_fences_the_first(broker, name):
    broker.create_topic(name, 1)
    first = transactional(broker, name)
    first.begin_transaction()
    send(first, name, [b"lost"])
    second = transactional(broker, name)
    with pytest.raises(KafkaException) as failed:
        first.commit_transaction(30)
    assert failed.value.args[0].code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED)
    second.begin_transaction()
    send(second, name, [b"kept"])
    second.commit_transaction(30)
    assert values(broker, name) == [b"kept"]


def test_a_transaction_that_is_too_old_is_aborted(broker, name):
    broker.create_topic(name, 1)
    producer = transactional(broker, name, **{"transaction.timeout.ms": 1000, "message.timeout.ms": 900})
    producer.begin_transaction()
    send(producer, name, [b"lost"])
    wait_for(lambda: broker.ends(name) == {0: (0, 2)}, 20, "the transaction stays open")
    assert values(broker, name) == []


def test_a_kill_keeps_what_was_told_and_ends_what_was_open(sfrun, name, tmp_path):
    server = Broker(tmp_path / "broker", sfrun).start()
    try:
        server.create_topic(name, 2, max_message_bytes=5000)
        done, cut = transactional(server, f"{name}-done"), transactional(server, f"{name}-cut")
        done.begin_transaction()
        send(done, name, [b"kept"])
        with contextlib.closing(server.consumer(name)) as consumer:
            done.send_offsets_to_transaction([TopicPartition(name, 0, 7)], consumer.consumer_group_metadata(), 30)
        done.commit_transaction(30)
        cut.begin_transaction()
        send(cut, name, [b"cut"], partition=1)
        server.kill()
        server.start()
        assert values(server, name) == [b"kept"] and server.committed(name, name) == {0: 7}
        assert server.ends(name)[1] == (0, 2), "the transaction that was open has no end"
        send(Producer({"bootstrap.servers": server.brokers}), name, [b"later"])
        assert values(server, name) == [b"kept", b"later"]
        with pytest.raises(RuntimeError, match="MSG_SIZE_TOO_LARGE"):
            server.produce(name, [{"value": os.urandom(6000), "partition": 0}])
        other = subprocess.run([sfrun.binary, "broker", "--port", "0", "--dir", server.directory / "data"], text=True,
                               capture_output=True, env=sfrun.environment(), timeout=20, check=False)
        assert other.returncode == 1 and "another broker serves" in other.stderr
    finally:
        server.kill()


def test_retention_takes_what_is_old_and_a_kill_does_not_bring_it_back(sfrun, name, tmp_path):
    server = Broker(tmp_path / "broker", sfrun).start()
    try:
        server.create_topic(name, 1, retention_ms=3600000)
        for batch in range(10):  # a batch each; five of them are two hours old
            server.produce(name, [{"value": os.urandom(20000), "timestamp": int(1000 * (time.time() - (7200 if batch < 5 else 0)))}])
        wait_for(lambda: server.ends(name)[0] == (5, 10), 60, lambda: server.ends(name), every=0.2)
        assert len(values(server, name)) == 5
        server.kill()
        server.start()
        wait_for(lambda: server.ends(name)[0] == (5, 10), 60, lambda: server.ends(name), every=0.2)
        send(Producer({"bootstrap.servers": server.brokers}), name, [b"next"])
        assert server.ends(name)[0] == (5, 11) and values(server, name)[5:] == [b"next"]
        server.create_topic(f"{name}-small", 1, retention_bytes=50000)
        for _ in range(20):
            server.produce(f"{name}-small", [{"value": os.urandom(20000)}])
        wait_for(lambda: server.ends(f"{name}-small")[0] == (17, 20), 60, lambda: server.ends(f"{name}-small"), every=0.2)
        wait_for(lambda: sum(file.stat().st_size for file in (server.directory / "data").glob(f"{name}-small@*")) < 100000, 60,
                 "the file is as large as before", every=0.2)
    finally:
        server.kill()


@pytest.mark.parametrize("setting, text", [("cleanup_policy=compact", "this broker has cleanup.policy=delete only"),
                                           ("message_timestamp_type=LogAppendTime", "this broker has message.timestamp.type=CreateTime only"),
                                           ("retention_ms=soon", "takes a whole number"), ("segments=1", "no setting 'segments'")])
def test_a_setting_that_it_does_not_keep_is_refused_by_name(broker, name, setting, text):
    key, _, value = setting.partition("=")
    with pytest.raises(KafkaException, match=text):
        broker.create_topic(name, 1, **{key: value})


def test_members_share_and_hand_over(broker, name):
    broker.create_topic(name, 6)
    owned, stop, lock = {}, threading.Event(), threading.Lock()

    def member(number, strategy, leaves):
        def assigned(consumer, partitions):
            with lock:
                owned[number] = owned.get(number, set()) | {p.partition for p in partitions}

        def revoked(consumer, partitions):
            with lock:
                owned[number] = owned.get(number, set()) - {p.partition for p in partitions}
        consumer = Consumer({"bootstrap.servers": broker.brokers, "group.id": name, "partition.assignment.strategy": strategy,
                             "session.timeout.ms": 6000, "log_level": 0})
        consumer.subscribe([name], on_assign=assigned, on_revoke=revoked, on_lost=revoked)
        while not (stop.is_set() or leaves.is_set()):
            consumer.poll(0.1)
        consumer.close()
        with lock:
            owned.pop(number, None)

    def spread():
        with lock:
            sets = list(owned.values())
        return sorted(map(len, sets)), sorted(sum(map(list, sets), []))
    leaves = [threading.Event() for _ in range(3)]
    threads = [threading.Thread(target=member, args=(i, "cooperative-sticky", leaves[i])) for i in range(3)]
    try:
        for thread in threads:
            thread.start()
        wait_for(lambda: spread() == ([2, 2, 2], list(range(6))), 60, lambda: f"{owned}")
        leaves[0].set()
        wait_for(lambda: spread() == ([3, 3], list(range(6))), 60, lambda: f"{owned}")
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_topics_are_administered(broker, name):
    with AdminClient({"bootstrap.servers": broker.brokers, "log_level": 0}) as admin:
        broker.create_topic(name, 2)
        with pytest.raises(KafkaException, match="TOPIC_ALREADY_EXISTS"):
            broker.create_topic(name, 1)
        with pytest.raises(KafkaException, match="INVALID_CONFIG"):
            broker.create_topic(f"{name}-wrong", 1, no_such_thing=1)
        admin.create_partitions([NewPartitions(name, 5)])[name].result(30)
        assert len(broker.topics()[name].partitions) == 5
        broker.delete_topic(name)


def test_the_port_is_kafkas_own_unless_told_otherwise(sfrun):
    """Taken or free, that is the port it means."""
    broker = sfrun.start("broker", "--topics", "there:3")
    try:
        wait_for(lambda: broker.lines or not broker.alive(), 20, lambda: broker.output)
        line = broker.wait_line("KAFKA_BROKERS|Address already in use", 20) if broker.alive() else broker.output
        assert "export KAFKA_BROKERS=127.0.0.1:9092" in line or "port 9092 (--port takes another): Address already in use" in line
    finally:
        if broker.alive():
            broker.stop()


def test_it_serves_its_owner_only(broker, name):
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    code = f"import socket; s = socket.create_connection(('127.0.0.1', {broker.port}), 5); s.settimeout(5); " \
           "s.sendall(bytes([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0, 0])); print(len(s.recv(100)))"
    ours = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=30, check=True)
    assert int(ours.stdout) > 50
    theirs = subprocess.run(["/usr/bin/python3", "-c", code], text=True, capture_output=True, timeout=30, check=False, user=65534, cwd="/")
    assert theirs.stdout.strip() in ("", "0"), theirs.stdout


def test_bytes_that_are_no_request_end_one_connection_only(broker, name):
    import random
    import socket
    rng = random.Random(4)
    broker.create_topic(name, 1)
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", broker.port), 5) as hostile:
            body = rng.randbytes(rng.randrange(8, 60))
            head = bytes([0, rng.choice([0, 1, 2, 3, 8, 9, 11, 14, 19, 22, 24, 28, 32, 37]), 0, rng.randrange(8)])
            hostile.sendall((len(body) + 4).to_bytes(4, "big") + head + body)
            hostile.settimeout(0.02)
            hostile.recv(100)
    broker.produce(name, [{"value": b"well"}])
    assert values(broker, name) == [b"well"]


def test_the_sink_is_exactly_once_on_it(sfrun, broker, name, tmp_path):
    """Killed again and again, each event is there once."""
    broker.create_topic(name, 3)
    (tmp_path / "producer.yaml").write_text(f"""
pipeline: {name}
checkpoint: 100ms
steps:
  events: {{source: generator-source, events: 50000, interval: 0s, seed: 11, duplicates: 0, broken: 0}}
  out: {{sink: kafka-sink, from: events, brokers: '{broker.brokers}', topic: {name}}}
""")
    env = {"XDG_RUNTIME_DIR": tmp_path}
    for _ in range(4):
        process = sfrun.start("producer.yaml", "--once", env=env, cwd=tmp_path)
        seen = sum(high for _, high in broker.ends(name).values())
        with contextlib.suppress(TimeoutError):
            wait_for(lambda seen=seen: sum(high for _, high in broker.ends(name).values()) > seen, 3, "no progress")
        process.kill()
    sfrun.run("producer.yaml", "--once", env=env, cwd=tmp_path)
    orders = values(broker, name)
    assert len(orders) == len(set(orders)) == 50000

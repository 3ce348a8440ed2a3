"""One Apache Kafka broker (KRaft, broker and controller in one JVM)."""

import base64
import contextlib
import subprocess
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from .server import Server, cache, free_port, installed, port_open, versions, wait_for

JVM = ["-Xms256m", "-Xmx1g", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]

AGAIN = (KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE,
         KafkaError._TIMED_OUT, KafkaError._WAIT_COORD, KafkaError._TRANSPORT)

LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
"""

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={directory}/data
num.network.threads=2
num.io.threads=4
num.partitions=1
auto.create.topics.enable=true
offsets.topic.num.partitions=5
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
log.retention.ms=-1
"""


class Closing(Producer):
    def close(self):
        self.flush(60)


class Kafka(Server):
    name = "Kafka"

    def prepare(self):
        self.lib = installed(cache() / f"kafka-{versions()['KAFKA_VERSION']}")
        self.port = free_port()
        (self.directory / "log4j2.properties").write_text(LOGGING)
        (self.directory / "server.properties").write_text(
            PROPERTIES.format(port=self.port, controller=free_port(), directory=self.directory))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        subprocess.run(self.java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", "server.properties"), cwd=self.directory,
                       check=True, capture_output=True)

    def java(self, main, *arguments):
        return ["java", *JVM, f"-Dlog4j2.configurationFile={self.directory}/log4j2.properties", "-cp", f"{self.lib}/*", main, *arguments]

    def command(self):
        return self.java("kafka.Kafka", "server.properties")

    def ready(self):
        return port_open(self.port) and "Kafka Server started" in self.log.read_text(errors="replace")

    @property
    def brokers(self):
        return f"127.0.0.1:{self.port}"

    def create_topic(self, topic, partitions=1, **config):
        config = {name.replace("_", "."): str(value) for name, value in config.items()}
        # Closed in this thread: one that is collected in its own, or while its broker goes, takes the interpreter with it.
        with AdminClient({"bootstrap.servers": self.brokers, "log_level": 0}) as admin:
            for future in admin.create_topics([NewTopic(topic, partitions, 1, config=config)]).values():
                future.result(30)

    def add_partitions(self, topic, total):
        with AdminClient({"bootstrap.servers": self.brokers, "log_level": 0}) as admin:
            admin.create_partitions([NewPartitions(topic, total)])[topic].result(30)

    def delete_topic(self, topic):
        with AdminClient({"bootstrap.servers": self.brokers, "log_level": 0}) as admin:
            admin.delete_topics([topic])[topic].result(30)
        wait_for(lambda: topic not in self.topics(), 20, f"topic {topic} is still there")

    def topics(self):
        with contextlib.closing(self.consumer()) as consumer:
            return consumer.list_topics(timeout=20).topics

    def produce(self, topic, messages, **settings):
        """messages: dicts of key, value, partition, timestamp, headers; a callback counts what arrived."""
        producer = Producer({"bootstrap.servers": self.brokers, "log_level": 0, "linger.ms": 20, "acks": "all",
                             "queue.buffering.max.messages": 500000, "compression.type": "lz4", "message.max.bytes": 4000000, **settings})
        failures = []

        def delivered(error, _):
            if error:
                failures.append(error)

        for number, message in enumerate(messages):
            while True:
                try:
                    producer.produce(topic, on_delivery=delivered, **message)
                    break
                except BufferError:
                    producer.poll(0.1)
            if number % 1000 == 0:
                producer.poll(0)
        left = producer.flush(60)
        if left or failures:
            raise RuntimeError(f"{left} messages not delivered, {len(failures)} failed: {failures[:3]}")

    def producer(self, **settings):
        """For records one by one; flushed when it is left."""
        return contextlib.closing(Closing({"bootstrap.servers": self.brokers, "log_level": 0, "acks": "all", **settings}))

    def ends(self, topic):
        """{partition: (low, high)} as a read-committed consumer sees them."""
        with contextlib.closing(self.consumer()) as consumer:
            partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20) for p in partitions}

    def read(self, topic):
        """Every record of the topic that a read-committed consumer gets, as confluent_kafka messages, in partition order."""
        with contextlib.closing(self.consumer()) as consumer:
            ends = {p: high for p, (low, high) in self.ends(topic).items() if high > low}
            consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in ends])
            open_partitions = set(ends)
            while open_partitions:
                for message in consumer.consume(10000, timeout=1):
                    if not message.error():
                        yield message
                        continue
                    if message.error().name() != "_PARTITION_EOF":
                        raise RuntimeError(message.error())
                    open_partitions.discard(message.partition())

    def consumer(self, group=None):
        return Consumer({"bootstrap.servers": self.brokers, "log_level": 0, "group.id": group or f"reader-{uuid.uuid4()}",
                         "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True,
                         "isolation.level": "read_committed"})

    def committed(self, group, topic):
        """{partition: offset} of a consumer group, which is not joined for it."""
        def ask():
            with contextlib.closing(self.consumer(group)) as consumer:
                partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
                try:
                    return [consumer.committed([TopicPartition(topic, p) for p in partitions], timeout=10)]
                except KafkaException as error:  # a broker that has just come back
                    if error.args[0].code() in AGAIN:
                        return None
                    raise
        answer, = wait_for(ask, 60, "no group coordinator")
        return {t.partition: t.offset for t in answer if t.offset >= 0}

    def lag(self, group, topic):
        done = self.committed(group, topic)
        return sum(high - max(done.get(p, 0), low) for p, (low, high) in self.ends(topic).items())

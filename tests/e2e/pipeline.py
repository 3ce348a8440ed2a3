"""pipelines/sales.yaml against the test's own servers, with what a test changes."""

import sqlite3
from pathlib import Path

SALES = Path(__file__).resolve().parents[2] / "pipelines" / "sales.yaml"

FACTS = "SELECT order_id, sales_amount, quantity, _partition, _offset FROM fact_sales"

# A second warehouse beside the first: its rejects have no reader, so one would stop the pipeline.
GOLD_TOO = """
  embedded:
    sink: snowflake-gold-sink
    from: sales
    connection: Driver=SQLite3;Database={database}
    facts:
      fact_sales:
        key: order_id
        latest_by: [_timestamp, _offset]
        columns: {{sales_amount: sales, quantity: quantity}}
"""


class Job:
    """One run of the sales pipeline: its files, its names on the servers, the command's environment."""

    def __init__(self, directory, name, kafka, s3=None, postgres=None, checkpoint="1s", rotate="2s"):
        self.directory, self.name, self.kafka, self.s3, self.postgres = Path(directory), name, kafka, s3, postgres
        self.topic, self.rejects, self.group = f"{name}-sales", f"{name}-rejects", name
        self.database = self.directory / "gold.db"
        self.file = self.directory / "sales.yaml"
        self.file.write_text(SALES.read_text())
        self.replace("pipeline: sales\n", f"pipeline: {name}\n")
        # A killed member holds its partitions until its session ends: not for the default 45 s here.
        self.replace("    group: ${SALES_GROUP:-sales}\n", f"    group: {name}\n    kafka: {{session.timeout.ms: 1500, heartbeat.interval.ms: 300}}\n")
        self.env = {"KAFKA_BROKERS": kafka.brokers, "SALES_TOPIC": self.topic, "REJECTS_TOPIC": self.rejects,
                    "CHECKPOINT": checkpoint, "XDG_RUNTIME_DIR": self.directory}
        if s3:
            bucket = s3.bucket(name)
            self.bronze_url, self.silver_url = f"s3://{bucket}/raw", f"s3://{bucket}/silver/sales"
            self.env.update(s3.client_environment())
        else:
            self.bronze_url, self.silver_url = f"file://{directory}/raw", f"file://{directory}/silver/sales"
        self.env.update(BRONZE_URL=self.bronze_url, SILVER_URL=self.silver_url)
        if postgres:
            self.env["GOLD_CONNECTION"] = postgres.connection(postgres.database(name))
        else:
            self.env["GOLD_CONNECTION"] = f"Driver=SQLite3;Database={self.database}"

        # Bronze keeps objects open for a minute; here they are cut by the clock, which is the harder case for exactly once.
        self.replace("rotate.interval.ms: 60000", f"rotate.schedule.interval.ms: {rotate}")

    def create_topics(self, partitions=3):
        self.kafka.create_topic(self.topic, partitions)
        self.kafka.create_topic(self.rejects, 1)

    def add(self, text):
        self.file.write_text(self.file.read_text() + text)

    def add_embedded_gold(self):
        self.add(GOLD_TOO.format(database=self.database))

    def replace(self, old, new):
        text = self.file.read_text()
        assert old in text, f"no '{old}' in {self.file}"
        self.file.write_text(text.replace(old, new))

    def bronze(self):
        """{key: bytes} of all objects below the bronze URL."""
        if self.s3:
            return self.s3.objects(f"{self.name}/raw")
        root = self.directory / "raw"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def gold(self):
        """The facts of the pipeline's own warehouse."""
        if self.postgres:
            return self.postgres.query(FACTS, self.name)
        return self.embedded_gold()

    def embedded_gold(self):
        return sqlite3.connect(self.database).execute(FACTS).fetchall()

    def lag(self):
        return self.kafka.lag(self.group, self.topic)

"""Change streams into gold, by the pipelines of docs/changes.md as they stand: what is in the table is what the changes leave."""

import base64
import json
import random
import sqlite3

import pytest

CHANGES = """
pipeline: {name}
steps:
  changes: {{source: file-source, path: {path}}}
  rows:
    transform: json-decode
    from: changes
    schema: {{id: int not null from after.id or before.id, name: string from after.name, ts: timestamp(us) from after.ts,
              amount: 'decimal(5,2,base64) from after.amount', d: date(days) from after.d, lsn: bigint from source.lsn, op: string}}
  gold:
    sink: snowflake-gold-sink
    from: rows
    connection: Driver=SQLite3;Database={directory}/gold.db
    {tables}
"""

# Debezium's c, u, d of one row, and a row that stays.
EVENTS = [
    {"before": None, "after": {"id": 1, "name": "a", "amount": "BNI=", "d": 19737, "ts": 1705314600123456}, "op": "c", "source": {"lsn": 1}},
    {"before": {"id": 1}, "after": {"id": 1, "name": "b", "amount": "BNI=", "d": 19737, "ts": 1705314600123456}, "op": "u", "source": {"lsn": 2}},
    {"before": {"id": 1, "name": "b"}, "after": None, "op": "d", "source": {"lsn": 3}},
    {"before": None, "after": {"id": 2, "name": "x", "amount": "BNI=", "d": 19737, "ts": 1705314600123456}, "op": "c", "source": {"lsn": 4}},
]


@pytest.mark.parametrize("tables", ["facts: {t: {key: id, latest_by: [lsn], delete_when: {op: d}, columns: [name, ts, amount, d]}}",
                                    "dimensions: {t: {key: id, latest_by: lsn, delete_when: {op: [d]}, columns: [name, ts, amount, d]}}"])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 0, 1]])
def test_create_update_delete(debug, tmp_path, name, tables, order):
    """In each order, all in one run, and each event by a run of its own."""
    for split in (False, True):
        directory = tmp_path / str(split)
        directory.mkdir()
        events, pipeline = directory / "events.jsonl", directory / "changes.yaml"
        pipeline.write_text(CHANGES.format(name=name, path=events, directory=directory, tables=tables), encoding="utf-8")
        with open(events, "w", encoding="utf-8") as out:
            for number in order:
                out.write(json.dumps(EVENTS[number]) + "\n")
                out.flush()
                if split:
                    debug.run(pipeline, "--once")
        debug.run(pipeline, "--once")
        with sqlite3.connect(directory / "gold.db") as gold:
            assert gold.execute("SELECT id, name, ts, printf('%.2f', amount), d FROM t").fetchall() == [
                (2, "x", "2024-01-15 10:30:00.123456", "12.34", "2024-01-15")]
            assert gold.execute("SELECT id, lsn FROM sf_deleted_t").fetchall() == [(1, 3)]
            assert gold.execute("SELECT rows_in, rows_rejected FROM sf_ledger").fetchall() == [(4, 0)]


def unscaled(cents):
    return base64.b64encode(cents.to_bytes(4, "big", signed=True)).decode()


class Shop:
    """A table that changes, what Debezium says of it, and what is in it."""

    def __init__(self, seed):
        self.chance, self.rows, self.lsn, self.messages = random.Random(seed), {}, 0, []

    def change(self):
        self.lsn += 10
        key, before = self.chance.randrange(40), None
        before = self.rows.get(key)
        after = None if before and self.chance.random() < 0.4 else {
            "id": key, "name": f"n{self.lsn}", "credit": unscaled(self.chance.randrange(-10**6, 10**6)), "born": 10000 + key, "changed": self.lsn * 10**6}
        op = "d" if after is None else "u" if before else "c"
        event = {"before": before and {"id": key}, "after": after, "op": op, "ts_ms": self.lsn, "source": {"lsn": self.lsn}}
        self.messages.append({"key": json.dumps({"id": key}), "value": json.dumps(event)})
        if after is None:
            del self.rows[key]
            self.messages.append({"key": json.dumps({"id": key}), "value": None})
        else:
            self.rows[key] = after


@pytest.mark.parametrize("product", ["sqlite", "postgres"])
def test_debezium(debug, kafka, postgres, root, tmp_path, name, seed, product):
    """Three partitions, to which keys keep no order at all: what decides is the database's log."""
    shop = Shop(seed)
    for _ in range(600):
        shop.change()
    shop.chance.shuffle(shop.messages)
    kafka.create_topic(name, partitions=3)
    connection = f"Driver=SQLite3;Database={tmp_path}/gold.db" if product == "sqlite" else postgres.connection(postgres.database(name))
    environment = {"KAFKA_BROKERS": kafka.brokers, "CHANGES_TOPIC": name, "CHANGES_GROUP": name, "REJECTS_TOPIC": f"{name}_dlq",
                   "GOLD_CONNECTION": connection, "CHECKPOINT": "100ms"}
    for first in range(0, len(shop.messages), 250):
        kafka.produce(name, [{**message, "partition": shop.chance.randrange(3)} for message in shop.messages[first:first + 250]])
        debug.run(root / "docs" / "pipelines" / "debezium.yaml", "--once", env=environment, cwd=tmp_path)
    expected = sorted((key, row["name"]) for key, row in shop.rows.items())
    if product == "sqlite":
        with sqlite3.connect(tmp_path / "gold.db") as gold:
            assert gold.execute("SELECT id, name FROM dim_customer ORDER BY id").fetchall() == expected
    else:
        rows = postgres.query("SELECT id, name, credit, born FROM dim_customer ORDER BY id", name)
        assert [(int(row[0]), row[1]) for row in rows] == expected
        assert all(row[3] == postgres.query(f"SELECT DATE '1970-01-01' + {10000 + int(row[0])}", name)[0][0] for row in rows)
        assert [row[2] for row in rows] == [f"{int.from_bytes(base64.b64decode(shop.rows[int(row[0])]['credit']), 'big', signed=True) / 100:.2f}"
                                            for row in rows]
    assert not list(kafka.read(f"{name}_dlq"))


def test_compacted_topic(debug, kafka, root, tmp_path, name):
    environment = {"KAFKA_BROKERS": kafka.brokers, "PRICES_TOPIC": name, "PRICES_GROUP": name, "REJECTS_TOPIC": f"{name}_dlq",
                   "GOLD_CONNECTION": f"Driver=SQLite3;Database={tmp_path}/gold.db", "CHECKPOINT": "100ms"}
    kafka.create_topic(name, partitions=2)

    def price(sku, value, time):
        return {"key": json.dumps({"sku": sku}), "value": value and json.dumps({"sku": sku, "price": value, "currency": "EUR"}), "timestamp": time,
                "partition": ord(sku) % 2}

    def run(*messages):
        kafka.produce(name, messages)
        debug.run(root / "docs" / "pipelines" / "compacted.yaml", "--once", env=environment, cwd=tmp_path)
        with sqlite3.connect(tmp_path / "gold.db") as gold:
            return gold.execute("SELECT sku, price FROM fact_price ORDER BY sku").fetchall()

    start = 1705314600000
    assert run(price("A", 1.5, start), price("B", 2.5, start), price("C", 3.5, start), price("A", None, start + 1)) == [("B", 2.5), ("C", 3.5)]
    assert run(price("B", None, start + 2), price("A", 9.5, start + 5)) == [("A", 9.5), ("C", 3.5)]
    # by their times these are older than what is known of their keys
    assert run(price("A", None, start + 4), price("B", 7.5, start + 1)) == [("A", 9.5), ("C", 3.5)]
    assert run({"key": None, "value": None, "partition": 0}, price("C", None, start + 9)) == [("A", 9.5)]
    assert len(list(kafka.read(f"{name}_dlq"))) == 1

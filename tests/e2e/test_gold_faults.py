"""Killed at each of the gold sink's fault points, on SQLite and PostgreSQL, the next run makes the tables what they would have been."""

import json
import random
import signal
import sqlite3

import pytest

POINTS = ["gold-ddl:1", "gold-ddl:3", "gold-ddl:4", "gold-ledger-row:1", "gold-staged:1", "gold-ledger:1", "gold-ledger:2", "gold-loaded:1",
          "gold-loaded:2", "gold-loaded:4", "gold-erased:1", "gold-erased:2", "gold-settled:1", "gold-settled:2", "gold-committed:1", "gold-committed:3"]

PIPELINE = """
pipeline: {name}
trigger: once
checkpoint: {{every: 1h, rows: 2000}}
steps:
  events:
    source: file-source
    path: {events}
  sales:
    transform: json-decode
    from: events
    schema: {{order_id: string not null, customer_id: string, sales: 'decimal(12,2)', gone: boolean}}
  gold:
    sink: snowflake-gold-sink
    from: sales
    connection: {connection}
    dimensions:
      dim_customer: {{key: customer_id}}
    facts:
      fact_sales: {{key: order_id, columns: {{amount: sales}}, delete_when: {{gone: true}}}}
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """10,000 events of 4,000 orders, each fifth of which deletes; and the amount that each order that is left must end with."""
    path, last, chance = tmp_path_factory.mktemp("gold") / "events.jsonl", {}, random.Random(3)
    with open(path, "w", encoding="utf-8") as out:
        for offset in range(10000):
            order = f"ORD-{chance.randrange(4000):06d}"
            if offset % 5 == 4:
                last.pop(order, None)
                out.write(json.dumps({"order_id": order, "gone": True}) + "\n")
                continue
            last[order] = f"{offset}.25"
            out.write(json.dumps({"order_id": order, "customer_id": f"C{offset % 50}", "sales": offset + 0.25}) + "\n")
    return path, last


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("product", ["sqlite", "postgres"])
def test_killed_at(debug, postgres, events, tmp_path, name, product, point):
    path, last = events
    if product == "sqlite":
        connection = f"Driver=SQLite3;Database={tmp_path}/gold.db"
    else:
        connection = postgres.connection(postgres.database(name))
    pipeline = tmp_path / "gold.yaml"
    pipeline.write_text(PIPELINE.format(name=name, events=path, connection=connection), encoding="utf-8")
    killed = debug.run(pipeline, env={"SF_FAULT": point}, check=False)
    assert killed.returncode == -signal.SIGKILL
    debug.run(pipeline)
    if product == "sqlite":
        facts, ends = sqlite_rows(tmp_path / "gold.db")
    else:
        facts = dict(postgres.query("SELECT order_id, amount FROM fact_sales", name))
        ends = [tuple(map(int, row)) for row in postgres.query("SELECT end_position, rows_in FROM sf_ledger", name)]
    assert facts == last
    assert 0 < len(last) < 3500
    assert ends == [(10000, 10000)]


def sqlite_rows(path):
    with sqlite3.connect(path) as database:
        facts = dict(database.execute("SELECT order_id, printf('%.2f', amount) FROM fact_sales"))
        return facts, database.execute("SELECT end_position, rows_in FROM sf_ledger").fetchall()

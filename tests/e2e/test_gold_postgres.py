"""The gold sink's own rules (tests/plugins/test_snowflake_gold_sink.c, test_gold_values.c, test_gold_hostile.c and test_gold_deletes.c) on a real PostgreSQL, and what only a
server can show: a connection that is cut at any moment."""

import random
import threading
import time

import pytest
from gold import run_rules


@pytest.mark.parametrize("driver", ["PostgreSQL Unicode", "PostgreSQL ANSI"])
@pytest.mark.parametrize("program, rules", [("snowflake_gold_sink", 15), ("gold_values", 15), ("gold_hostile", 11), ("gold_deletes", 15), ("gold_names", 5), ("gold_audit", 30)])
def test_the_same_rules_hold(debug, postgres, name, program, rules, driver):
    connection = postgres.connection(postgres.database(name)).replace("PostgreSQL Unicode", driver)
    assert run_rules(debug, program, connection).count("\nok ") >= rules


PIPELINE = """
pipeline: {name}
trigger: once
steps:
  events: {{source: file-source, path: {path}}}
  rows: {{transform: json-decode, from: events, schema: {{id: int, a: string, b: string}}}}
  gold:
    sink: snowflake-gold-sink
    from: rows
    connection: {connection}
    facts: {{f: {{key: id, columns: [{columns}]}}}}
"""


def test_a_login_that_may_create_nothing(debug, postgres, tmp_path, name):
    """It goes on with what is there, and says what it cannot keep a record of."""
    events, pipeline = tmp_path / "events.jsonl", tmp_path / "f.yaml"
    connection = postgres.connection(postgres.database(name))

    def run(connection, row, columns):
        with open(events, "a", encoding="utf-8") as out:
            out.write(row + "\n")
        pipeline.write_text(PIPELINE.format(name=name, path=events, connection=connection, columns=columns), encoding="utf-8")
        return debug.run(pipeline).stderr

    run(connection, '{"id": 1, "a": "a1", "b": "b1"}', "a, b")
    postgres.query(f"CREATE ROLE {name} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON f, sf_ledger TO {name}; DROP TABLE sf_ledger_columns; "
                   "ALTER TABLE sf_ledger DROP COLUMN origin", name)
    log = run(connection.replace("Uid=sf", f"Uid={name}"), '{"id": 1, "a": "a2", "b": "b2"}', "a")
    assert "no record of the columns that are written: " in log
    assert "table 'sf_ledger' has no column 'origin' (" in log
    assert postgres.query("SELECT id, a, b FROM f", name) == [["1", "a2", "b1"]]
    run(connection, '{"id": 1, "a": "a3", "b": "b3"}', "a, b")
    log = run(connection, '{"id": 1, "a": "a4", "b": "b4"}', "a")
    assert "column 'b' is no longer written" in log
    assert postgres.query("SELECT id, a, b FROM f", name) == [["1", "a4", None]]


def test_a_policy_refuses_rows(debug, postgres, tmp_path, name):
    """A row that row-level security does not let in is a reject with the policy's words, not a permission to wait for."""
    events, pipeline, rejects = tmp_path / "events.jsonl", tmp_path / "f.yaml", tmp_path / "rejects"
    connection = postgres.connection(postgres.database(name))
    text = PIPELINE.format(name=name, path=events, connection=connection.replace("Uid=sf", f"Uid={name}"), columns="a, b")
    text += f"  rejects: {{sink: file-sink, from: gold.errors, path: {rejects}}}\n"
    pipeline.write_text(text.replace("sink: snowflake-gold-sink", "sink: snowflake-gold-sink\n    schema: gold"), encoding="utf-8")
    postgres.query(f"CREATE ROLE {name} LOGIN; CREATE SCHEMA gold AUTHORIZATION {name}", name)
    events.write_text('{"id": 1, "a": "mine", "b": "b"}\n', encoding="utf-8")
    debug.run(pipeline)
    postgres.query("ALTER TABLE gold.f ENABLE ROW LEVEL SECURITY; ALTER TABLE gold.f FORCE ROW LEVEL SECURITY; "
                   "CREATE POLICY own_rows ON gold.f USING (true) WITH CHECK (a = 'mine')", name)
    with events.open("a", encoding="utf-8") as out:
        out.write('{"id": 2, "a": "theirs", "b": "b"}\n{"id": 3, "a": "mine", "b": "c"}\n')
    debug.run(pipeline)
    assert postgres.query("SELECT id, a FROM gold.f ORDER BY id", name) == [["1", "mine"], ["3", "mine"]]
    said = "".join(path.read_text(encoding="utf-8") for path in rejects.glob("*.jsonl"))
    assert said.count("\n") == 1
    assert "row-level security policy" in said
    assert "theirs" in said


def run_with_cuts(debug, postgres, database):
    """The outage rules, while every session of the database but the test's own reading one is ended again and again. Returns how often."""
    over = threading.Event()
    cuts = []

    def cut():
        while not over.is_set():
            ended = postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                                   f"'{database}' AND pid <> (SELECT pid FROM pg_stat_activity WHERE datname = '{database}' "
                                   "ORDER BY backend_start LIMIT 1)")
            cuts.extend(ended)
            time.sleep(random.uniform(0.05, 0.15))

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        run_rules(debug, "gold_outage", postgres.connection(database))
    finally:
        over.set()
        thread.join()
    return len(cuts)


def test_a_connection_that_is_cut_at_any_moment(debug, postgres, name):
    """In the middle of statements and of COMMIT: as many runs as it takes for five cuts, since a quick machine has few in one."""
    cuts = 0
    for run in range(10):
        cuts += run_with_cuts(debug, postgres, postgres.database(f"{name}{run}"))
        if cuts >= 5:
            return
    raise AssertionError(f"only {cuts} connections were cut in 10 runs")

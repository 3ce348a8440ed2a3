"""A table that delta-rs writes, deletes from and optimizes, read by a pipeline that is killed again and again."""

import json
import random
import sqlite3
from collections import Counter

import deltalake
import pyarrow as pa

PIPELINE = """
pipeline: {name}
checkpoint: 50ms
steps:
  rows:
    source: delta-source
    url: file://{directory}/table
    starting_version: 0
    on_change: ignore
    interval: 50ms
    {options}
  out: {{sink: file-sink, from: rows, path: out}}
"""


def batch(first, n, rng):
    ids = list(range(first, first + n))
    return pa.table({"id": pa.array(ids, pa.int64()), "part": pa.array([i % 3 for i in ids], pa.int32()),
                     "text": pa.array([None if rng.random() < 0.1 else f"text {i}" for i in ids])})


def written(directory, out="out"):
    """ids, each as often as it was given, with their texts."""
    rows = [json.loads(line) for path in sorted((directory / out).glob("*.jsonl")) for line in path.read_text().splitlines()]
    return Counter(row["id"] for row in rows), {row["id"]: row["text"] for row in rows}


def killed_while_it_writes(process, directory):
    """Whether it was: a run with --once may end before."""
    def sizes():
        return {path: path.stat().st_size for path in (directory / "out").glob("*.jsonl*") if path.exists()}
    before = sizes()
    return process.kill_after(lambda: sizes() != before)


def test_every_row_that_was_added_comes_once_whatever_others_do(sfrun, name, seed, tmp_path):
    rng = random.Random(seed)
    url, pipeline = str(tmp_path / "table"), tmp_path / "p.yaml"
    texts, hits = {}, 0
    for turn in range(12):
        rows = batch(10_000 * turn, rng.randrange(1, 10_000), rng)
        texts.update(zip(rows["id"].to_pylist(), rows["text"].to_pylist()))
        deltalake.write_deltalake(url, rows, mode="append", partition_by=["part"] if turn == 0 else None)
        if turn % 4 == 2:
            deltalake.DeltaTable(url).delete(f"id % 7 = {turn % 7}")
        if turn % 4 == 3:
            deltalake.DeltaTable(url).optimize.compact()
        if turn % 5 == 4:
            deltalake.DeltaTable(url).create_checkpoint()
        pipeline.write_text(PIPELINE.format(name=name, directory=tmp_path, options=rng.choice(["", "max_files_per_trigger: 1"])))
        process = sfrun.start(*rng.choice([[], ["--once"]]), pipeline, cwd=tmp_path)
        hits += killed_while_it_writes(process, tmp_path)
    assert hits > 0, "no run was killed while it wrote"
    pipeline.write_text(PIPELINE.format(name=name, directory=tmp_path, options=""))
    sfrun.run("--once", pipeline, cwd=tmp_path)
    counts, found = written(tmp_path)
    assert [number for number, n in counts.items() if n > 1] == []
    assert found == texts


def test_a_sink_that_is_added_while_another_lags_has_every_row_once(sfrun, name, tmp_path):
    url, pipeline, rng = str(tmp_path / "table"), tmp_path / "p.yaml", random.Random(1)
    text = PIPELINE.format(name=name, directory=tmp_path, options="max_files_per_trigger: 1").replace("    starting_version: 0\n", "")
    later = text + "  late: {sink: file-sink, from: rows, path: late}\n"

    def append(turn):
        deltalake.write_deltalake(url, batch(1000 * turn, 1000, rng), mode="append")

    append(0), append(1)
    pipeline.write_text(text)
    sfrun.run("--once", pipeline, cwd=tmp_path)  # the first of the snapshot's two files
    append(2)
    pipeline.write_text(later)
    for _ in range(4):
        sfrun.run("--once", pipeline, cwd=tmp_path)
    append(3)
    pipeline.write_text(later + "  last: {sink: file-sink, from: rows, path: last}\n")
    for _ in range(5):
        sfrun.run("--once", pipeline, cwd=tmp_path)
    for out in "out", "late", "last":
        assert written(tmp_path, out)[0] == Counter(range(4000)), out


def test_changes_are_those_that_delta_rs_sees(sfrun, name, seed, tmp_path):
    rng = random.Random(seed)
    url, pipeline = str(tmp_path / "table"), tmp_path / "p.yaml"
    deltalake.write_deltalake(url, batch(0, 1000, rng), partition_by=["part"], configuration={"delta.enableChangeDataFeed": "true"})
    pipeline.write_text(PIPELINE.format(name=name, directory=tmp_path, options="columns: [id, part, text]").replace("ignore", "cdf"))
    for turn in range(1, 7):
        table = deltalake.DeltaTable(url)
        if turn % 3 == 0:
            table.delete(f"id % 11 = {turn}")
        elif turn % 3 == 1:
            table.update(updates={"text": f"'turn {turn}'"}, predicate=f"id % 13 = {turn}")
        else:
            source = batch(900 * turn, 200, rng)
            table.merge(source, "s.id = t.id", source_alias="s", target_alias="t").when_matched_update_all().when_not_matched_insert_all().execute()
        assert killed_while_it_writes(sfrun.start(pipeline, cwd=tmp_path), tmp_path)
    sfrun.run("--once", pipeline, cwd=tmp_path)
    columns = ["id", "part", "text", "_change_type", "_commit_version"]
    changes = pa.table(deltalake.DeltaTable(url).load_cdf(starting_version=0).read_all()).select(columns).to_pylist()
    rows = [json.loads(line) for path in (tmp_path / "out").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert {row["_change_type"] for row in rows} == {"insert", "delete", "update_preimage", "update_postimage"}
    assert Counter(tuple(row[c] for c in columns) for row in rows) == Counter(tuple(row[c] for c in columns) for row in changes)


GOLD = """
pipeline: {name}
checkpoint: 50ms
steps:
  rows: {{source: delta-source, url: ./table}}
  gold:
    sink: snowflake-gold-sink
    from: rows
    connection: Driver=SQLite3;Database={directory}/gold.db
    facts: {{fact: {{key: id, latest_by: [_timestamp, _offset], columns: {{text: text}}}}}}
  rejects: {{sink: file-sink, from: gold.errors, path: rejects}}
"""


def test_rows_that_gold_rejects_are_there_once(sfrun, name, tmp_path):
    """Their _offset is that of their event, far below any position in the table."""
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(GOLD.format(name=name, directory=tmp_path))
    for turn in range(3):
        numbers = range(100 * turn, 100 * turn + 100)
        times = pa.array([1_700_000_000_000_000 + n for n in numbers], pa.timestamp("us", "UTC"))
        rows = pa.table({"id": pa.array([None if n % 10 == 0 else n for n in numbers], pa.int64()), "text": [f"text {n}" for n in numbers],
                         "_topic": ["t"] * 100, "_partition": pa.array([0] * 100, pa.int32()), "_offset": pa.array(numbers, pa.int64()),
                         "_timestamp": times})
        deltalake.write_deltalake(str(tmp_path / "table"), rows, mode="append")
        sfrun.run("--once", pipeline, cwd=tmp_path)
    rejected = [line for path in (tmp_path / "rejects").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert len(rejected) == 30 and {json.loads(line)["text"] for line in rejected} == {f"text {n}" for n in range(0, 300, 10)}
    found = sqlite3.connect(tmp_path / "gold.db").execute("SELECT count(*), count(DISTINCT id), min(_offset), max(_offset) FROM fact").fetchall()
    assert found == [(270, 270, 1, 299)]

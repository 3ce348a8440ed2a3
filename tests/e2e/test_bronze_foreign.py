"""Bronze that others wrote, and keys: what Kafka Connect's names say is read to its end, and what lies beside comes back."""

import gzip
import random

from testbed import TableReaders

TO_SILVER = """
pipeline: {pipeline}
checkpoint: 100ms
steps:
  events: {{{source}}}
  rows: {{transform: json-decode, from: events, tombstones: keep, schema: {{n: long, key: {{type: string, from_key: $}}}}}}
  silver: {{sink: delta-silver-sink, from: rows, url: '{url}'}}
  rejects: {{sink: file-sink, from: [rows.errors, silver.errors], path: './rejects-{pipeline}'}}
"""


def put(s3, path, lines):
    """Into the server's own files, whole at once."""
    body = b"".join(line + b"\n" for line in lines)
    target = s3.data / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(body) if path.endswith(".gz") else body)


def files(s3, path):
    """That are there by now, of a server whose files are the objects."""
    return {str(file) for file in (s3.data / path).rglob("*") if file.is_file()}


def fill(s3, bucket, first, count, rng):
    """Kafka Connect's objects of one topic from `first` on: a time-based partitioner's, Confluent's and Aiven's names by partition."""
    expected = {}
    for partition, name in enumerate(["orders+{p}+{o:010}.json", "orders+{p}+{o:010}.json.gz", "orders-{p}-{o}.gz"]):
        offset = first
        while offset < first + count:
            size = min(rng.randint(1, 400), first + count - offset)
            hour = offset * 24 // 100000
            path = f"{bucket}/topics/orders/day={15 + hour // 24}/hour={hour % 24:02}/" + name.format(p=partition, o=offset)
            numbers = range(offset, offset + size)
            put(s3, path, [b'{"n": %d}' % (number * 10 + partition) for number in numbers])
            expected.update({(partition, number): number * 10 + partition for number in numbers})
            offset += size
    return expected


def assert_silver(url, s3, expected):
    table = TableReaders(url, s3)
    rows = table.arrow().select(["_partition", "_offset", "n"]).to_pydict()
    found = dict(zip(zip(rows["_partition"], rows["_offset"]), rows["n"]))
    assert len(rows["n"]) == len(found) == len(expected), "rows are lost or doubled"
    assert found == expected
    assert table.duckdb("SELECT count(*) FROM t") == [(str(len(expected)),)]


def test_a_bucket_of_kafka_connect_is_read_to_its_end(sfrun, s3, name, seed, tmp_path):
    """Killed on the way; objects that come later are read by the next run, and only those."""
    rng = random.Random(seed)
    bucket = s3.bucket(name)
    url = f"s3://{bucket}/silver"
    expected = {}
    put(s3, f"{bucket}/topics/orders/_SUCCESS", [b""])
    put(s3, f"{bucket}/topics/orders/notes.txt", [b"nothing of Kafka Connect's"])
    job = tmp_path / "job.yaml"
    job.write_text(TO_SILVER.format(pipeline="orders", url=url, source=f"source: bronze-source, url: 's3://{bucket}', topics.dir: topics, layout: connect"))
    run = {"env": s3.client_environment(), "cwd": tmp_path}
    hits = 0
    for turn in range(4):
        expected.update(fill(s3, bucket, 2000 * turn, 2000, rng))
        before = files(s3, f"{bucket}/silver")
        hits += sfrun.start("--once", job, **run).kill_after(lambda: files(s3, f"{bucket}/silver") - before)
    assert hits > 0, "no run was killed while it wrote"
    sfrun.run("--once", job, **run)
    assert_silver(url, s3, expected)
    version = TableReaders(url, s3).table.version()
    sfrun.run("--once", job, **run)
    assert TableReaders(url, s3).table.version() == version, "a run with nothing new wrote something"
    expected.update(fill(s3, bucket, 8000, 1000, rng))
    sfrun.run("--once", job, **run)
    assert_silver(url, s3, expected)


def keyed(count, rng):
    for number in range(count):
        key = rng.choice([None, b"", b"key %d" % (number % 100), "schl\u00fcssel".encode()])
        tombstone = key and rng.random() < 0.3
        yield {"partition": number % 2,
               "key": key,
               "value": None if tombstone else b'{"n": %d}' % number,
               "headers": rng.choice([None, [("trace", b"%d" % number), ("raw", b"\xff\x00")]])}


def test_silver_by_keys_from_bronze_is_that_from_kafka(sfrun, kafka, s3, name, seed, tmp_path):
    """Bronze with keys and headers beside it, whose writer is killed; null and empty keys, tombstones."""
    rng = random.Random(seed)
    bucket = s3.bucket(name)
    kafka.create_topic(name, partitions=2)
    kafka.produce(name, keyed(20_000, rng))
    run = {"env": s3.client_environment(), "cwd": tmp_path}
    source = f"source: kafka-source, brokers: {kafka.brokers}, topics: [{name}]"
    to_bronze = tmp_path / "raw.yaml"
    to_bronze.write_text(f"""
pipeline: raw
steps:
  events: {{{source}, group: {name}-raw}}
  bronze: {{sink: s3-bronze-sink, from: events, url: 's3://{bucket}/raw', flush.size: 500, behavior.on.null.values: write,
            store.kafka.keys: true, store.kafka.headers: true}}
""")
    hits = 0
    for _ in range(2):  # each start waits until the broker gives the dead one up
        more = len(files(s3, f"{bucket}/raw")) + rng.randint(1, 12)
        hits += sfrun.start("--once", to_bronze, **run).kill_after(lambda: len(files(s3, f"{bucket}/raw")) >= more)
    assert hits > 0, "no run was killed while it wrote"
    sfrun.run("--once", to_bronze, **run)
    tables = []
    sources = {"kafka": f"{source}, group: {name}-silver", "bronze": f"source: bronze-source, url: 's3://{bucket}/raw'"}
    for kind, text in sources.items():
        job, url = tmp_path / f"{kind}.yaml", f"s3://{bucket}/silver-{kind}"
        job.write_text(TO_SILVER.format(pipeline=f"by_{kind}", url=url, source=text))
        sfrun.run("--once", job, **run)
        tables.append(TableReaders(url, s3).arrow().sort_by([("_partition", "ascending"), ("_offset", "ascending")]))
    assert tables[0].num_rows == 20_000 and tables[0].column("key").null_count > 1000
    assert tables[0].column_names == tables[1].column_names
    assert [column for column in tables[0].column_names if tables[0].column(column) != tables[1].column(column)] == []
    lines = sum(body.count(b"\n") for key, body in s3.objects(f"{bucket}/raw").items() if key.endswith(".headers.json"))
    assert lines == 20_000

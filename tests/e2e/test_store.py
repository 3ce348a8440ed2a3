"""The store's own tests (C, TAP) against the real S3 server: conditional writes, races, parts, listings, errors."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from testbed.events import Sales


def test_store_against_the_server(debug, s3, name):
    env = debug.environment({**s3.client_environment(), "SF_TEST_BUCKET": s3.bucket(name)})
    run = subprocess.run([debug.build / "tests" / "plugins" / "kit_store_server"], env=env, text=True, capture_output=True, timeout=300)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.stdout.count("\nok ") >= 7 and "not ok" not in run.stdout


BACKLOG = """
pipeline: {pipeline}
tasks: {tasks}
steps:
  events: {{source: kafka-source, brokers: {brokers}, topics: [{topic}]}}
  bronze: {{sink: s3-bronze-sink, from: events, url: 's3://{bucket}/{pipeline}', {options}}}
"""


def peak_of(run):
    """The process's own high-water mark in KiB, as long as it can be read: what wait4() says counts its parent's before exec, too."""
    peak = 0
    while run.poll() is None:
        status = Path(f"/proc/{run.pid}/status").read_text()
        peak = int((re.search(r"VmHWM:\s+(\d+) kB", status) or [0, peak])[1])
        time.sleep(0.02)
    return peak


def rows_of(s3, bucket, pipeline):
    """What a foreign reader finds: lines of all objects, by partition and offset of their names; and what the ledger says of them."""
    entries = [json.loads(entry) for entry in s3.objects(f"{bucket}/{pipeline}/_sf/{pipeline}").values()]
    objects = {key: body for key, body in s3.objects(f"{bucket}/{pipeline}").items() if "/_sf/" not in f"/{key}"}
    assert len(objects) == sum(len(entry["objects"]) for entry in entries)
    return sum(body.count(b"\n") for body in objects.values()), sum(entry["rows"] for entry in entries), objects


# One range for each partition, until the end of the run.
LARGE = "flush.size: 1000000000, rotate.interval.ms: 1h, timestamp.extractor: Wallclock"


@pytest.mark.parametrize("tasks, options, count, partitions", [(1, "flush.size: 10000", 400_000, 12), (3, "flush.size: 10000", 400_000, 12),
                                                               (6, "flush.size: 10000", 400_000, 12), (1, LARGE, 800_000, 2)],
                         ids=["one", "three", "six", "large"])
def test_backlog_to_s3_stays_within_the_documented_memory(sfrun, kafka, s3, name, seed, tmp_path, tasks, options, count, partitions):
    """`memory` (40 MiB) and 40 MiB more, whatever the number of tasks and the size of objects; rows are neither lost nor doubled."""
    bucket = s3.bucket(name)
    kafka.create_topic(name, partitions=partitions)
    kafka.produce(name, Sales(count, seed, partitions=partitions, broken=0).messages())
    file = tmp_path / f"{name}.yaml"
    file.write_text(BACKLOG.format(pipeline=name, tasks=tasks, brokers=kafka.brokers, topic=name, bucket=bucket, options=options))
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        run = subprocess.Popen([sfrun.binary, "--once", file], env=sfrun.environment(s3.client_environment()), stderr=log)
        peak = peak_of(run)
    assert run.returncode == 0, (tmp_path / "log").read_text()
    assert 10 * 1024 < peak <= 80 * 1024, f"{tasks} tasks: {peak} KiB"
    lines, rows, objects = rows_of(s3, bucket, name)
    assert lines == rows == count
    if options == LARGE:
        assert max(map(len, objects.values())) > 16 << 20, "objects go up in several parts"


@pytest.mark.parametrize("point", ["upload-1-begun", "upload-2-part-sent", "upload-3-before-complete", "upload-4-completed"])
def test_killed_while_parts_go_up(debug, kafka, s3, name, tmp_path, point):
    count, bucket = 40_000, s3.bucket(name)
    kafka.create_topic(name, partitions=1)
    kafka.produce(name, Sales(count, seed=5, partitions=1, broken=0).messages())
    file = tmp_path / f"{name}.yaml"
    file.write_text(BACKLOG.format(pipeline=name, tasks=1, brokers=kafka.brokers, topic=name, bucket=bucket, options=LARGE))
    environment = s3.client_environment()
    killed = debug.run(file, "--once", env={**environment, "SF_FAULT": f"{point}:1"}, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    debug.run(file, "--once", env=environment)
    lines, rows, _ = rows_of(s3, bucket, name)
    assert lines == rows == count

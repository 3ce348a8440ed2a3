"""The store's own tests (C, TAP) against the real S3 server: conditional writes, races, parts, listings, errors."""

import json
import re
import subprocess
import time
from pathlib import Path

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
  bronze: {{sink: s3-bronze-sink, from: events, url: 's3://{bucket}/{pipeline}'}}
"""


def peak_of(run):
    """The process's own high-water mark in KiB, as long as it can be read: what wait4() says counts its parent's before exec, too."""
    peak = 0
    while run.poll() is None:
        status = Path(f"/proc/{run.pid}/status").read_text()
        peak = int((re.search(r"VmHWM:\s+(\d+) kB", status) or [0, peak])[1])
        time.sleep(0.02)
    return peak


def test_backlog_to_s3_stays_within_the_documented_memory(sfrun, kafka, s3, name, seed, tmp_path):
    """`memory` (40 MiB) and 40 MiB more, whatever the number of tasks; objects are neither lost nor doubled."""
    bucket, partitions, count = s3.bucket(name), 12, 400_000
    kafka.create_topic(name, partitions=partitions)
    kafka.produce(name, Sales(count, seed, partitions=partitions, broken=0).messages())
    for tasks in (1, 3):
        pipeline = f"{name}-{tasks}"
        file = tmp_path / f"{pipeline}.yaml"
        file.write_text(BACKLOG.format(pipeline=pipeline, tasks=tasks, brokers=kafka.brokers, topic=name, bucket=bucket))
        with open(tmp_path / "log", "w", encoding="utf-8") as log:
            run = subprocess.Popen([sfrun.binary, "--once", file], env=sfrun.environment(s3.client_environment()), stderr=log)
            peak = peak_of(run)
        assert run.returncode == 0, (tmp_path / "log").read_text()
        assert 10 * 1024 < peak <= 80 * 1024, f"{tasks} tasks: {peak} KiB"
        entries = s3.objects(f"{bucket}/{pipeline}/_sf/{pipeline}")
        assert sum(json.loads(entry)["rows"] for entry in entries.values()) == count

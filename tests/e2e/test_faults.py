"""Every numbered fault point once: the process is killed there, a second one finishes, and nothing is lost or there twice."""

import itertools
import re
import signal
from pathlib import Path

import pytest

import proof
from oracle import Expected
from pipeline import Job
from testbed import LIBRDKAFKAS, Sales, TableReaders

ROOT = Path(__file__).resolve().parents[2]
POINT = re.compile(r'\bsf_fault\([^;]*?"([^"]+)"')
NUMBERED = re.compile(r'"([a-z]+-\d+-[a-z-]+)"')  # handed on to sf_fault by a helper

def points():
    """Those of file-sink are test_files.py's, those of deletes test_gold_faults.py's, those of large objects test_store.py's: the sales
    pipeline has none. Sidecars, which polars refuses to read, are killed in plugin_delta_silver_redo."""
    sources = [path for room in ("core", "plugins") for path in (ROOT / room).rglob("*.c") if path.parent.name != "file-sink"]
    found = sorted({point for path in sources for pattern in (POINT, NUMBERED) for point in pattern.findall(path.read_text())}
                   - {"gold-erased", "silver-sidecar"})
    assert found, "no fault point in the source"
    return [point for point in found if not point.startswith("upload-")]


def cases():
    """The warehouse's points in both of its dialects; every librdkafka in turn, so that each meets a share of the points."""
    pairs = [(point, warehouse) for point in points() for warehouse in (["sqlite", "postgresql"] if point.startswith("gold") else ["sqlite"])]
    return [(*pair, librdkafka) for pair, librdkafka in zip(pairs, itertools.cycle(LIBRDKAFKAS))]


def with_log_checkpoints(job, run):
    """A checkpoint of the Delta log comes with the second version."""
    job.replace("    partition_by: [order_date]\n", "    partition_by: [order_date]\n    checkpoint_interval: 1\n")
    job.kafka.produce(job.topic, Sales(500, seed=8).messages())
    run()


def with_maintenance(job, run):
    """The silver table has small files of several runs, which the next one packs."""
    for seed in range(4):
        job.kafka.produce(job.topic, Sales(500, seed=seed).messages())
        run()
    job.replace("    partition_by: [order_date]\n", "    partition_by: [order_date]\n    maintain: {optimize: 1s}\n")


# Points that the plain job does not pass, and what makes it pass them: a table as it is later, events that are all good.
SPECIAL = {"silver-checkpoint": with_log_checkpoints, "silver-last-checkpoint": with_log_checkpoints,
           "optimize-data": with_maintenance, "optimize-commit": with_maintenance, "optimize-committed": with_maintenance}
WITHOUT_REJECTS = {"kafka-sink-before-seen", "kafka-sink-after-seen"}


@pytest.mark.parametrize("point, warehouse, debug", cases(), indirect=["debug"])
def test_killed_at(debug, kafka, s3, postgres, name, tmp_path, point, warehouse):
    job = Job(tmp_path, name, kafka, s3, postgres if warehouse == "postgresql" else None)
    job.create_topics()

    def run(fault="", **options):
        return debug.run(job.file, "--once", env={**job.env, "SF_FAULT": fault}, cwd=job.directory, **options)

    if point in SPECIAL:
        SPECIAL[point](job, run)
    kafka.produce(job.topic, Sales(3000, seed=7, broken=0 if point in WITHOUT_REJECTS else 0.02).messages())
    done = run(f"{point}:1", check=False)
    assert done.returncode == -signal.SIGKILL, f"the point was not passed: status {done.returncode}\n{done.stderr[-3000:]}"
    run()

    expected = Expected(kafka.read(job.topic))
    proof.bronze(expected, job.bronze(), job.topic)
    proof.silver(expected, TableReaders(job.silver_url, s3))
    proof.gold(expected, job.gold())
    proof.rejects(expected, kafka.read(job.rejects))
    assert job.lag() == 0

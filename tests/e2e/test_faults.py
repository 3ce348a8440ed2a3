"""Every numbered fault point once: the process is killed there, a second one finishes, and nothing is lost or there twice."""

import re
import signal
import sqlite3
from pathlib import Path

import pytest

import proof
from oracle import Expected
from pipeline import Job
from testbed import Sales, TableReaders

ROOT = Path(__file__).resolve().parents[2]
POINT = re.compile(r'\bsf_fault\([^;]*?"([^"]+)"')
GOLD = "SELECT order_id, sales_amount, quantity, _partition, _offset FROM fact_sales"


def points():
    """Those of file-sink are test_files.py's: the sales pipeline has none."""
    sources = [path for room in ("core", "plugins") for path in (ROOT / room).rglob("*.c") if path.parent.name != "file-sink"]
    found = sorted({point for path in sources for point in POINT.findall(path.read_text())})
    assert found, "no fault point in the source"
    return found


# Points that the plain job does not pass, and what makes it pass them.
SPECIAL = {}


@pytest.mark.parametrize("point", points())
def test_killed_at(debug, kafka, s3, name, tmp_path, point):
    job = Job(tmp_path, name, kafka, s3)
    job.create_topics()
    SPECIAL.get(point, lambda job: None)(job)
    kafka.produce(job.topic, Sales(3000, seed=7, broken=0.02).messages())

    done = debug.run(job.file, "--once", env={**job.env, "SF_FAULT": f"{point}:1"}, cwd=job.directory, check=False)
    assert done.returncode == -signal.SIGKILL, f"the point was not passed: status {done.returncode}\n{done.stderr[-3000:]}"
    debug.run(job.file, "--once", env=job.env, cwd=job.directory)

    expected = Expected(kafka.read(job.topic))
    assert expected.records == 3000
    proof.bronze(expected, job.bronze(), job.topic)
    proof.silver(expected, TableReaders(job.silver_url, s3))
    proof.gold(expected, sqlite3.connect(job.database).execute(GOLD).fetchall())
    proof.rejects(expected, kafka.read(job.rejects))
    assert job.lag() == 0

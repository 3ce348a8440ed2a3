"""pipelines/files.yaml, which needs no server: lines in, typed rows and rejects out, each once, whatever happens between."""

import json
import random
import re
import signal
import subprocess
from pathlib import Path

import pytest

from testbed.server import wait_for

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "pipelines" / "files.yaml"
POINTS = sorted(set(re.findall(r'\bsf_fault\([^;]*?"(file-sink:[^"]+)"', (ROOT / "plugins" / "file-sink" / "chain.c").read_text())))


def event(number):
    """Every tenth one is broken."""
    return '{"order_id":' if number % 10 == 3 else json.dumps({"order_id": f"ORD-{number}", "sales": number / 4, "quantity": number})


def feed(directory, first, last, file="sales.jsonl"):
    (directory / "in").mkdir(exist_ok=True)
    with open(directory / "in" / file, "a", encoding="utf-8") as lines:
        lines.writelines(event(number) + "\n" for number in range(first, last))


def rows(directory):
    return [json.loads(line) for path in sorted(directory.glob("*.jsonl")) for line in path.read_text().splitlines()]


def check(directory, total):
    """Every event is in one of the outputs, once, and in order."""
    good = [number for number in range(total) if number % 10 != 3]
    assert [row["quantity"] for row in rows(directory / "out" / "sales")] == good
    assert [row["offset"] for row in rows(directory / "out" / "rejects")] == [number for number in range(total) if number % 10 == 3]


def test_new_lines_only(sfrun, tmp_path):
    feed(tmp_path, 0, 100)
    sfrun.run("--once", FILES, cwd=tmp_path)
    check(tmp_path, 100)
    before = {path.name for path in (tmp_path / "out" / "sales").glob("*.jsonl")}
    sfrun.run("--once", FILES, cwd=tmp_path)
    assert {path.name for path in (tmp_path / "out" / "sales").glob("*.jsonl")} == before
    feed(tmp_path, 100, 150)
    sfrun.run("--once", FILES, cwd=tmp_path)
    check(tmp_path, 150)
    reject = rows(tmp_path / "out" / "rejects")[0]
    assert reject["value"] == '{"order_id":'
    assert reject["_step"] == "sales"
    assert reject["_error"] == "not valid JSON: value expected at byte 12, where the value ends"


def test_follows_until_it_is_stopped(sfrun, tmp_path):
    feed(tmp_path, 0, 10)
    running = sfrun.start(FILES, cwd=tmp_path, env={"CHECKPOINT": "100ms"})
    running.wait_line("started")
    feed(tmp_path, 10, 5000)
    wait_for(lambda: len(rows(tmp_path / "out" / "sales")) == 4500, 60, lambda: running.output)
    assert running.stop() == 0
    check(tmp_path, 5000)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(debug, tmp_path, point):
    feed(tmp_path, 0, 200)
    done = debug.run("--once", FILES, cwd=tmp_path, env={"SF_FAULT": f"{point}:1"}, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    debug.run("--once", FILES, cwd=tmp_path)
    check(tmp_path, 200)


def test_killed_at_random(sfrun, tmp_path, seed):
    chosen, total = random.Random(seed), 200_000
    feed(tmp_path, 0, total)
    for _ in range(20):
        running = sfrun.start("--once", FILES, cwd=tmp_path, env={"CHECKPOINT": "20ms"})
        running.wait_line("started")
        try:
            running.process.wait(chosen.uniform(0.005, 0.15))
        except subprocess.TimeoutExpired:
            running.kill()
    sfrun.run("--once", FILES, cwd=tmp_path)
    check(tmp_path, total)

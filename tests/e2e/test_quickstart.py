"""packaging/quickstart in a clean clone, as a newcomer runs it."""

import os
import re
import subprocess

import pytest

from test_walkthrough import BLOCK, pattern


@pytest.fixture(scope="module")
def clone(root, tmp_path_factory):
    directory = tmp_path_factory.mktemp("clone") / "streamforge"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", root, directory], check=True)
    return directory


def quickstart(clone, **env):
    done = subprocess.run(["packaging/quickstart"], cwd=clone, env={**os.environ, **env}, text=True, capture_output=True, check=False,
                          timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def balanced(output):
    line = re.search(r"([\d,]+) events in = ([\d,]+) bronze = ([\d,]+) silver \+ ([\d,]+) rejected, ([\d,]+) distinct orders = ([\d,]+) gold",
                     output)
    assert line, output
    produced, bronze, silver, rejected, orders, gold = (int(number.replace(",", "")) for number in line.groups())
    assert produced == bronze == silver + rejected == 10000
    assert orders == gold and 0 < gold < silver and rejected > 0


def test_with_the_embedded_broker(clone):
    output = quickstart(clone, KAFKA_BROKERS="")
    balanced(output)
    shown = BLOCK.search((clone / "README.md").read_text())[1].splitlines()
    assert re.match(pattern(shown), output), f"--- printed\n{output}--- README.md says\n" + "\n".join(shown)
    assert "\x1b" not in output and "\r" not in output, "control codes where there is no terminal"
    assert re.search(r"year=\d{4}/month=\d\d/day=\d\d/sales_events\+\d\+\d{10}\.json", output), output
    assert "order_id" in output and "COUNT(*)" in output
    mine = subprocess.run(["bash", "-c", ". build/quickstart/env && sfrun plugins kafka-sink && sfrun topics --help"], cwd=clone, text=True,
                          capture_output=True, env={"PATH": os.environ["PATH"]}, check=False)
    assert mine.returncode == 0 and "kafka-sink" in mine.stdout, mine.stdout + mine.stderr


def test_again_and_with_a_broker(clone, kafka):
    output = quickstart(clone, KAFKA_BROKERS=kafka.brokers)
    balanced(output)
    assert re.search(rf"^The topics sales_events_\d+ and sales_events_dlq_\d+ stay at {kafka.brokers}\.$", output, re.MULTILINE)


def test_a_broker_that_is_away_is_named(clone):
    done = subprocess.run(["packaging/quickstart"], cwd=clone, env={**os.environ, "KAFKA_BROKERS": "127.0.0.1:1"}, text=True,
                          capture_output=True, check=False, timeout=600)
    assert done.returncode == 1
    assert "no topic could be created at 127.0.0.1:1" in done.stderr and "connection refused" in done.stderr

"""packaging/quickstart in a clean clone, as a newcomer runs it."""

import os
import re
import subprocess

import pytest


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
    assert re.search(r"year=\d{4}/month=\d\d/day=\d\d/sales_events\+\d\+\d{10}\.json", output), output
    assert "order_id" in output and "COUNT(*)" in output


def test_again_and_with_a_broker(clone, kafka):
    balanced(quickstart(clone, KAFKA_BROKERS=kafka.brokers))

"""README.md, executed: packaging/quickstart in a clean clone, as a newcomer runs it, and the pipeline; on Kafka and the embedded broker."""

import os
import re
import subprocess

import pytest

from testbed import TableReaders
from test_walkthrough import BLOCK, pattern


# What a plugin's author needs, with the pages' way of naming a directory of plugins beside the built ones
AUTHOR = "set -e; SF_PLUGIN_PATH=$PWD sfrun plugins kafka-sink; sfrun topics --help; pkg-config --cflags --libs streamforge-harness"


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


def check_shown(clone, output, broker=None):
    """What README.md shows. At a broker that others use too, topics have a suffix, and the end says that they stay there."""
    shown = BLOCK.search((clone / "README.md").read_text())[1]
    if broker:
        shown = shown.replace(" (embedded)", "").replace("sales_events", "sales_events_…")
        shown += f"The topics sales_events_… and sales_events_dlq_… stay at {broker}.\n"
    assert re.match(pattern(shown.splitlines()), output), f"--- printed\n{output}--- README.md says\n{shown}"


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
    check_shown(clone, output)
    assert "\x1b" not in output and "\r" not in output, "control codes where there is no terminal"
    assert re.search(r"year=\d{4}/month=\d\d/day=\d\d/sales_events\+\d\+\d{10}\.json", output), output
    assert "order_id" in output and "COUNT(*)" in output
    mine = subprocess.run(["bash", "-c", f". build/quickstart/env; {AUTHOR}"], cwd=clone, text=True, capture_output=True,
                          env={"PATH": os.environ["PATH"], "SF_PLUGIN_DIR": ""}, check=False)
    assert mine.returncode == 0 and "kafka-sink" in mine.stdout, mine.stdout + mine.stderr


@pytest.mark.parametrize("server", ["kafka", "broker"])
def test_again_and_with_a_broker(clone, request, server):
    brokers = request.getfixturevalue(server).brokers
    output = quickstart(clone, KAFKA_BROKERS=brokers)
    balanced(output)
    check_shown(clone, output, brokers)


@pytest.mark.parametrize("server", ["kafka", "broker"])
def test_the_pipeline_that_the_readme_shows(root, sfrun, s3, request, name, tmp_path, server):
    shown = re.search(r"^```yaml\n(.*?)^```", (root / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "orders.yaml").write_text(shown.replace("sales_events", name).replace("processed-bucket", s3.bucket(name)))
    env = {**s3.client_environment(), "KAFKA_BROKERS": request.getfixturevalue(server).brokers, "XDG_RUNTIME_DIR": tmp_path}

    def run(*arguments):
        return sfrun.run(*arguments, env=env, cwd=tmp_path)

    run("topics", "create", name, "--partitions", 3)
    run("produce", "--topic", name, "--events", 1000, "--interval", 0, "--broken", 0.02, "--seed", 1)
    run("check", "orders.yaml")
    for _ in range(2):  # the second one finds nothing to do
        run("orders.yaml", "--once")
    silver = TableReaders(f"s3://{name}/silver/orders", s3).arrow().num_rows
    rejects = sum(len(path.read_text().splitlines()) for path in (tmp_path / "rejects").rglob("*.jsonl"))
    assert silver + rejects == 1000 and silver > rejects > 0


def test_a_broker_that_is_away_is_named(clone):
    done = subprocess.run(["packaging/quickstart"], cwd=clone, env={**os.environ, "KAFKA_BROKERS": "127.0.0.1:1"}, text=True,
                          capture_output=True, check=False, timeout=600)
    assert done.returncode == 1
    assert "no topic could be created at 127.0.0.1:1" in done.stderr and "connection refused" in done.stderr

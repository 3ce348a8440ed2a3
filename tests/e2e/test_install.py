"""What `meson install` puts down is enough: to run pipelines, and to build plugins outside the tree by the commands of README.md and of
docs/plugin-guide.md. They read a file, Kafka, or the embedded broker."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent

README = """\
pipeline: outside
trigger: once
steps:
  lines: {lines}
  typed:
    transform: json-decode
    from: lines
    schema: {{a: bigint}}
  large: {{transform: least, from: typed, least: 2}}
  out: {{sink: file-sink, from: large, path: out}}
"""

GUIDE = """\
pipeline: guide
trigger: once
steps:
  lines: {lines}
  typed:
    transform: json-decode
    from: lines
    schema: {{text: string}}
  measured: {{transform: text-length, from: typed, column: text}}
  numbers: {{transform: parse-numbers, from: measured, column: text}}
  out: {{sink: lines-sink, from: numbers, path: out}}
  rejects: {{sink: kafka-sink, from: numbers.errors, brokers: '{brokers}', topic: {topic}-rejects}}
"""


@pytest.fixture(scope="module")
def prefix(sfrun, tmp_path_factory):
    directory = tmp_path_factory.mktemp("installed")
    subprocess.run(["meson", "install", "-C", sfrun.build, "--no-rebuild", "--quiet", "--destdir", directory], check=True)
    found = next(directory.rglob("bin/sfrun"))
    return directory, found.parent.parent


def building(prefix):
    destination, root = prefix
    return {**os.environ, "PKG_CONFIG_PATH": str(next(root.rglob("streamforge.pc")).parent), "PKG_CONFIG_SYSROOT_DIR": str(destination)}


def pkg_config(prefix, *arguments):
    return subprocess.run(["pkg-config", *arguments, "streamforge"], env=building(prefix), text=True, capture_output=True,
                          check=True).stdout.split()


def build(prefix, page, shown, source):
    """By the page's command for the plugin `shown`; the module is made in the working directory `source.parent`."""
    command = re.search(rf"^    (cc .*\b{shown}\.c\b.*)$", page.read_text(), re.MULTILINE)[1]
    command = command.replace(f"{shown}.c", source.name).replace(shown.replace("_", "-") + ".so", source.stem.replace("_", "-") + ".so")
    subprocess.run(command + " -Wall -Wextra -Werror", shell=True, cwd=source.parent, env=building(prefix), check=True)


def run_installed(prefix, file):
    """The installed sfrun, which finds its library in any prefix, with the plugins that were built beside the pipeline."""
    _, root = prefix
    installed = next(root.rglob("streamforge/plugins"))
    env = {**os.environ, "SF_PLUGIN_PATH": f"{file.parent}:{installed}"}
    done = subprocess.run([root / "bin" / "sfrun", file.name], cwd=file.parent, env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("source", ["file", "kafka", "broker"])
def test_the_plugin_of_the_readme(prefix, root, request, name, tmp_path, source):
    lines = [f'{{"a": {n}}}\n' for n in range(4)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    step = "{source: file-source, path: in.jsonl}"
    if source != "file":
        server = request.getfixturevalue(source)
        server.create_topic(name)
        server.produce(name, ({"value": line.encode()} for line in lines))
        step = f"{{source: kafka-source, brokers: '{server.brokers}', topics: [{name}]}}"
    (tmp_path / "least.c").write_text((HERE / "plugin.c").read_text())
    build(prefix, root / "README.md", "least", tmp_path / "least.c")
    (tmp_path / "outside.yaml").write_text(README.format(lines=step))
    run_installed(prefix, tmp_path / "outside.yaml")
    rows = [json.loads(line) for path in sorted((tmp_path / "out").glob("*.jsonl")) for line in path.read_text().splitlines()]
    assert [row["a"] for row in rows] == [2, 3]


@pytest.mark.parametrize("broker_kind", ["kafka", "broker"])
def test_the_plugins_of_the_guide(prefix, root, request, name, tmp_path, broker_kind):
    server = request.getfixturevalue(broker_kind)
    for topic in (name, f"{name}-rejects"):
        server.create_topic(topic)
    for plugin in ("parse_numbers.c", "text_length.c", "lines_sink.c"):
        source = next(prefix[1].rglob(f"examples/{plugin}"))
        (tmp_path / plugin).write_text(source.read_text())
        build(prefix, root / "docs" / "plugin-guide.md", "my_filter", tmp_path / plugin)
    step = f"{{source: kafka-source, brokers: '{server.brokers}', topics: [{name}]}}"
    (tmp_path / "guide.yaml").write_text(GUIDE.format(lines=step, brokers=server.brokers, topic=name))
    for first in (0, 50):  # the second run goes on where the first one ended
        server.produce(name, ({"value": b'{"text": "%s"}' % (b"many" if n % 10 == 9 else b"%d" % n)} for n in range(first, first + 50)))
        run_installed(prefix, tmp_path / "guide.yaml")
    numbers = [int(line) for path in (tmp_path / "out").glob("*.txt") for line in path.read_text().split()]
    assert sorted(numbers) == [n for n in range(100) if n % 10 != 9]
    assert len(list(server.read(f"{name}-rejects"))) == 10


def test_the_plugin_directory_is_told(prefix):
    assert pkg_config(prefix, "--variable=plugindir")[0].endswith("/streamforge/plugins")


def test_the_readme_shows_this_plugin(root):
    code = (HERE / "plugin.c").read_text().split("*/\n", 1)[1].strip()
    assert code in (root / "README.md").read_text()

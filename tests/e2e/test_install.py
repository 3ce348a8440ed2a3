"""What `meson install` puts down is enough: to run pipelines, and to build a plugin outside the tree."""

import json
import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent

PIPELINE = """\
pipeline: outside
trigger: once
steps:
  lines: {source: file-source, path: in.jsonl}
  typed:
    transform: json-decode
    from: lines
    schema: {a: bigint}
  large: {transform: least, from: typed, least: 2}
  out: {sink: file-sink, from: large, path: out}
"""


@pytest.fixture(scope="module")
def prefix(sfrun, tmp_path_factory):
    directory = tmp_path_factory.mktemp("installed")
    subprocess.run(["meson", "install", "-C", sfrun.build, "--no-rebuild", "--quiet", "--destdir", directory], check=True)
    found = next(directory.rglob("bin/sfrun"))
    return directory, found.parent.parent


def pkg_config(prefix, *arguments):
    destination, root = prefix
    file = next(root.rglob("streamforge.pc"))
    env = {**os.environ, "PKG_CONFIG_PATH": str(file.parent), "PKG_CONFIG_SYSROOT_DIR": str(destination)}
    return subprocess.run(["pkg-config", *arguments, "streamforge"], env=env, text=True, capture_output=True, check=True).stdout.split()


def test_a_plugin_outside_the_tree(prefix, tmp_path):
    _, root = prefix
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", tmp_path / "least.so", HERE / "plugin.c",
                    *pkg_config(prefix, "--cflags")], check=True)
    (tmp_path / "in.jsonl").write_text("".join(f'{{"a": {n}}}\n' for n in range(4)))
    (tmp_path / "outside.yaml").write_text(PIPELINE)
    installed = next(root.rglob("streamforge/plugins"))
    env = {**os.environ, "SF_PLUGIN_PATH": f"{tmp_path}:{installed}", "LD_LIBRARY_PATH": str(next(root.rglob("libsf.so.0")).parent)}
    done = subprocess.run([root / "bin" / "sfrun", "outside.yaml"], cwd=tmp_path, env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for path in sorted((tmp_path / "out").glob("*.jsonl")) for line in path.read_text().splitlines()]
    assert [row["a"] for row in rows] == [2, 3]


def test_the_plugin_directory_is_told(prefix):
    assert pkg_config(prefix, "--variable=plugindir")[0].endswith("/streamforge/plugins")


def test_the_readme_shows_this_plugin(root):
    code = (HERE / "plugin.c").read_text().split("*/\n", 1)[1].strip()
    assert code in (root / "README.md").read_text()

"""docs/walkthrough.md, executed: in a ```console block, lines after "$ " are commands, the others what they print. In those,
"…" stands for any text, and a line that is only "…" for any lines."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps(text):
    """(command, expected output) pairs in their order."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append([line[2:], []])
            elif line.startswith("> ") and found and not found[-1][1]:
                found[-1][0] += "\n" + line[2:]
            else:
                found[-1][1].append(line)
    return found


def pattern(lines):
    parts = []
    for line in lines:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(part.rstrip()) for part in line.split("…")) + r"[ \t]*\n")
    return "".join(parts) + r"\Z"


def test_patterns_tell_outputs_apart():
    assert re.match(pattern(["a … c", "…", "z"]), "a b c\nx\ny\nz\n")
    assert not re.match(pattern(["a … c"]), "a b d\n")
    assert not re.match(pattern(["a"]), "a\nb\n")


@pytest.fixture(params=["kafka", "broker"])
def shell(sfrun, request, tmp_path):
    """One shell for all commands: what a block exports or starts, later ones see. On Kafka, and on the embedded broker."""
    kafka = request.getfixturevalue(request.param)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sfrun").symlink_to(sfrun.binary)
    (tmp_path / "pipelines").symlink_to(ROOT / "pipelines")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "gold.db").write_text("what packaging/quickstart has left")
    env = sfrun.environment({"KAFKA_BROKERS": kafka.brokers, "XDG_RUNTIME_DIR": tmp_path})
    env["PATH"] = f"{tmp_path}/bin:{env['PATH']}"
    process = subprocess.Popen(["bash", "--norc"], cwd=tmp_path, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)

    def run(command):
        process.stdin.write(f"{command}\nprintf '\\n--status %d\\n' $?\n")
        process.stdin.flush()
        lines = []
        for line in process.stdout:
            if line.startswith("--status "):
                return "".join(lines)[:-1], int(line.split()[1])
            lines.append(line)
        raise AssertionError("the shell ended:\n" + "".join(lines))

    yield run
    process.stdin.close()
    process.wait(60)


def test_each_command_prints_what_the_page_says(shell):
    page = steps((ROOT / "docs" / "walkthrough.md").read_text())
    assert len(page) >= 8
    for command, expected in page:
        output, status = shell(command)
        assert status == 0, f"$ {command}\n{output}"
        assert re.match(pattern(expected), output), f"$ {command}\n--- printed\n{output}--- the page says\n" + "\n".join(expected)

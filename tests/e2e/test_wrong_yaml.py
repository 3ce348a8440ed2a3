"""Wrong pipeline files: each error with file:line:column, all of a file at once, exit status 2, and nothing is started."""

import re

import pytest

GOOD = """\
pipeline: p
steps:
  lines:
    source: file-source
    path: in.jsonl
  copy:
    sink: file-sink
    from: lines
    path: out
"""

WRONG = {
    "syntax": (GOOD.replace("path: in.jsonl", "path: [in.jsonl"), r"bad\.yaml:\d+:\d+: "),
    "tab": (GOOD.replace("    path: out", "\tpath: out"), r"bad\.yaml:9:\d+: "),
    "not a map": ("- pipeline\n- steps\n", r"bad\.yaml:1:1: "),
    "empty": ("", r"bad\.yaml"),
    "no steps": ("pipeline: p\n", r"bad\.yaml.*steps"),
    "unknown key on top": (GOOD.replace("steps:", "stesp: 1\nsteps:"), r"bad\.yaml:2:1: .*'stesp'.*'steps'"),
    "unknown step in from": (GOOD.replace("from: lines", "from: lnes"), r"bad\.yaml:8:11: .*'lnes'.*'lines'"),
    "cycle": (GOOD + "  a:\n    transform: example-filter\n    from: b\n  b:\n    transform: example-filter\n    from: a\n",
              r"bad\.yaml:1[0-5]:\d+: .*cycle"),
    "duplicate name": (GOOD + "  copy:\n    sink: file-sink\n    from: lines\n    path: too\n", r"bad\.yaml:10:3: .*'copy'"),
    "unknown plugin": (GOOD.replace("source: file-source", "source: file-sorce"), r"bad\.yaml:4:13: .*'file-sorce'.*'file-source'"),
    "a sink as source": (GOOD.replace("source: file-source", "source: file-sink"), r"bad\.yaml:4:\d+: .*file-sink"),
    "unknown option": (GOOD.replace("    path: out", "    paht: out"), r"bad\.yaml:9:5: .*'paht'.*'path'"),
    "missing option": (GOOD.replace("    path: out\n", ""), r"bad\.yaml:\d+:\d+: .*path"),
    "missing from": (GOOD.replace("    from: lines\n", ""), r"bad\.yaml:6:3: .*from"),
    "from a sink": (GOOD + "  more:\n    sink: file-sink\n    from: copy\n    path: o\n", r"bad\.yaml:12:11: .*'copy'"),
    "errors of a source": (GOOD.replace("from: lines", "from: lines.errors"), r"bad\.yaml:8:11: "),
    "wrong type": (GOOD + "checkpoint: soon\n", r"bad\.yaml:10:13: .*'soon'"),
    "no kind": (GOOD.replace("    source: file-source\n", ""), r"bad\.yaml:3:3: "),
    "two kinds": (GOOD.replace("    source: file-source\n", "    source: file-source\n    sink: file-sink\n"), r"bad\.yaml:[345]:\d+: "),
    "unset variable": (GOOD.replace("in.jsonl", "${SF_TEST_NOT_SET}"), r"bad\.yaml:5:11: .*SF_TEST_NOT_SET"),
    "two documents": (GOOD + "---\npipeline: q\n", r"bad\.yaml:\d+:\d+: "),
}


@pytest.fixture
def refuse(sfrun, tmp_path):
    def run(text, command=()):
        (tmp_path / "in.jsonl").write_text('{"a": 1}\n')
        (tmp_path / "bad.yaml").write_text(text)
        done = sfrun.run(*command, "bad.yaml", cwd=tmp_path, check=False, env={"XDG_RUNTIME_DIR": tmp_path})
        assert done.returncode == 2, f"status {done.returncode}\n{done.stdout}{done.stderr}"
        assert not (tmp_path / "out").exists(), "something was started"
        return done.stderr
    return run


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("command", [("check",), ()], ids=["check", "run"])
def test_refused_with_its_place(refuse, case, command):
    text, message = WRONG[case]
    found = refuse(text, command)
    assert re.search(message, found), found


def test_all_errors_of_a_file_at_once_in_its_order(refuse):
    text = GOOD.replace("from: lines", "from: lnes").replace("    path: out", "    paht: out").replace("steps:", "chekpoint: 1s\nsteps:")
    places = [int(line) for line in re.findall(r"bad\.yaml:(\d+):\d+: ", refuse(text))]
    assert places == sorted(places) and {2, 9, 10} <= set(places)


def test_a_file_that_is_not_there(sfrun, tmp_path):
    done = sfrun.run("check", "nowhere.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 2 and "nowhere.yaml" in done.stderr


def test_one_wrong_file_stops_all(sfrun, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("from: lines", "from: lnes"))
    done = sfrun.run("good.yaml", "bad.yaml", cwd=tmp_path, check=False, env={"XDG_RUNTIME_DIR": tmp_path})
    assert done.returncode == 2 and "bad.yaml:8:11" in done.stderr
    assert not (tmp_path / "out").exists()

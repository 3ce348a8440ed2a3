"""Counts what tests/run collected: TAP subtests of Meson's logs, pytest's report, and parts that failed as a whole.
Prints the time of each part, what failed, and "N passed, M failed"; the exit status says whether all is well."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TAP = re.compile(r"^(ok|not ok)\b(?:[ \t]+\d+)?[ \t]*-?[ \t]*([^#\n]*)(#\s*(?:skip|todo))?", re.IGNORECASE | re.MULTILINE)


class Count:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []
        self.seconds = {}  # of each file of e2e

    def tap(self, suite, path):
        for line in path.read_text().splitlines():
            test = json.loads(line)
            name = f"{suite}: {test['name']}"
            points = TAP.findall(test.get("stdout") or "")
            for verdict, title, skip in points:
                if skip:
                    self.skipped.append(f"{name}: {title.strip()}")
                elif verdict.lower() == "ok":
                    self.passed += 1
                else:
                    self.failed.append(f"{name}: {title.strip()}")
            bad = test["result"] in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS")
            if bad and not any(verdict.lower() == "not ok" for verdict, _, _ in points):
                self.failed.append(f"{name}: {test['result'].lower()}")
            elif not points and test["result"] == "SKIP":
                self.skipped.append(name)
            elif not points and not bad:
                self.passed += 1

    def junit(self, path):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = f"e2e: {case.get('classname')}::{case.get('name')}"
            file = case.get("classname").rsplit(".", 1)[-1]
            self.seconds[file] = self.seconds.get(file, 0) + float(case.get("time", 0))
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed.append(name)
            elif case.find("skipped") is not None:
                self.skipped.append(name)
            else:
                self.passed += 1


def main(directory):
    count = Count()
    parts = directory / "parts"
    for line in parts.read_text().splitlines() if parts.exists() else []:
        name, seconds, verdict = line.split("\t")
        print(f"{name:28} {int(seconds) // 60:3}:{int(seconds) % 60:02}  {verdict}")
        if verdict != "ok" and not name.endswith("suites") and name != "end to end":
            count.failed.append(name)
        elif name == "style":
            count.passed += 1
        if verdict != "ok" and name == "end to end" and not (directory / "e2e.xml").exists():
            count.failed.append("e2e: pytest did not run")
    for path in sorted(directory.glob("*.json")):
        count.tap(path.stem, path)
    if (directory / "e2e.xml").exists():
        count.junit(directory / "e2e.xml")
    if count.seconds:
        longest = sorted(count.seconds.items(), key=lambda file: -file[1])
        print("e2e, seconds of each file: " + ", ".join(f"{name.removeprefix('test_')} {seconds:.0f}" for name, seconds in longest))
    for name in count.failed:
        print(f"FAILED {name}")
    if count.skipped:
        print(f"{len(count.skipped)} skipped: {'; '.join(count.skipped[:8])}{' …' if len(count.skipped) > 8 else ''}")
    print(f"{count.passed} passed, {len(count.failed)} failed")
    return 1 if count.failed or not count.passed else 0


sys.exit(main(Path(sys.argv[1])))

"""Which suite executes which line: measured once with gcov, and again only for suites whose programs changed."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .trees import Limits

GCOV_FILES = 100  # a call


class Coverage:
    """seconds: of each suite on the unchanged tree. broken: suites that fail there."""

    def __init__(self, tree, directory, at_once):
        self.tree, self.directory = tree, directory
        self.seconds, self.broken, self.lines, self.functions, self.includers = {}, [], {}, {}, {}
        directory.mkdir(parents=True, exist_ok=True)
        if tree.make():
            raise RuntimeError(f"the tree does not build: ninja -C {tree.build}")
        self.suites, self.targets, self.hashes = tree.suites(), tree.targets(), {}
        self.read_includers()
        with ThreadPoolExecutor(at_once) as pool:
            for name, found in zip(self.suites, pool.map(self.measured, self.suites.values())):
                self.add(name, found)

    def fingerprint(self, suite):
        digest = hashlib.sha1(json.dumps(suite["cmd"]).encode())
        files = [file for target in suite["depends"] for file in self.targets.get(target, [])]
        for file in sorted({*files, *map(Path, suite["cmd"]), *(self.tree.build / "core").glob("libsf.so")}):
            if file not in self.hashes:
                self.hashes[file] = hashlib.sha1(file.read_bytes()).digest() if file.is_file() else b""
            digest.update(self.hashes[file])
        return digest.hexdigest()

    def measured(self, suite):
        file = self.directory / (re.sub(r"\W+", "_", suite["name"]) + ".json.gz")
        fingerprint = self.fingerprint(suite)
        if file.exists():
            found = json.loads(gzip.decompress(file.read_bytes()))
            if found["fingerprint"] == fingerprint:
                return found
        with tempfile.TemporaryDirectory(prefix="sfc", dir="/tmp", ignore_cleanup_errors=True) as counts:
            began = time.monotonic()
            what = self.tree.run(suite, Limits(), extra={"GCOV_PREFIX": counts})
            found = {"fingerprint": fingerprint, "what": what, "seconds": time.monotonic() - began, "lines": {}, "functions": {}}
            self.read_counts(Path(counts), found)
        print(f"{suite['name']}: {found['seconds']:.1f} s {what}", file=sys.stderr, flush=True)
        if what in ("", "skipped"):
            file.write_bytes(gzip.compress(json.dumps(found).encode()))
        return found

    def read_counts(self, counts, found):
        """found["lines"]: file → line → whether it was executed."""
        pairs = [(file, Path("/") / file.relative_to(counts).with_suffix(".gcno")) for file in counts.rglob("*.gcda")]
        pairs = [(gcda, gcno) for gcda, gcno in pairs if gcno.exists() and re.search(r"(^|[/_])(core|plugins|commands)[/_]",
                                                                                 str(gcno.relative_to(self.tree.build)))]
        for i, (gcda, gcno) in enumerate(pairs):
            gcda.rename(counts / f"{i}.gcda")
            (counts / f"{i}.gcno").symlink_to(gcno)
        for i in range(0, len(pairs), GCOV_FILES):
            names = [f"{j}.gcda" for j in range(i, min(i + GCOV_FILES, len(pairs)))]
            output = subprocess.run(["gcov", "--json-format", "--stdout", *names], cwd=counts, check=True, capture_output=True).stdout
            for line in output.splitlines():
                if line.startswith(b"{"):
                    self.take(json.loads(line), found)

    def name_of(self, file):
        path = Path(os.path.normpath(self.tree.build / file))
        return str(path.relative_to(self.tree.source)) if path.is_relative_to(self.tree.source) else None

    def take(self, data, found):
        for file in data["files"]:
            name = self.name_of(file["file"])
            if not name or name.startswith("tests/"):
                continue
            lines = found["lines"].setdefault(name, {})
            for line in file["lines"]:
                number = str(line["line_number"])
                lines[number] = lines.get(number, 0) | (line["count"] > 0)
            functions = found["functions"].setdefault(name, {})
            functions.update({str(function["start_line"]): function["end_line"] for function in file["functions"]})

    def add(self, name, found):
        if found["what"] in ("fails", "hangs"):
            self.broken.append(name)
        if found["what"]:
            return
        self.seconds[name] = found["seconds"]
        for file, lines in found["lines"].items():
            into = self.lines.setdefault(file, {})
            for line, executed in lines.items():
                into.setdefault(int(line), set()).update([name] if executed else [])
        for file, functions in found["functions"].items():
            self.functions.setdefault(file, {}).update({int(start): end for start, end in functions.items()})

    def read_includers(self):
        """Header → the sources that are compiled with it."""
        output = self.tree.call(["ninja", "-C", str(self.tree.build), "-t", "deps"])
        for block in output.split("\n\n"):
            names = [self.name_of(line.strip()) for line in block.splitlines()[1:]]
            sources = [name for name in names if name and name.endswith(".c")]
            for name in names:
                if name and sources:
                    self.includers.setdefault(name, set()).update(sources)

    def of_file(self, path):
        return set().union(*self.lines.get(path, {}).values())

    def executing(self, path, line):
        """Names of the suites that execute the line. One that is no statement's first belongs to the statement that began before;
        declarations and tables belong to all of the file, and a header's to all that include it."""
        lines = self.lines.get(path, {})
        if line in lines:
            return lines[line]
        for start, end in self.functions.get(path, {}).items():
            if start <= line <= end:
                return lines[max((known for known in lines if start <= known <= line), default=min(lines))]
        includers = self.includers.get(path, set()) if path.endswith(".h") else set()
        return self.of_file(path).union(*map(self.of_file, includers))

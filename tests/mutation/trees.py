"""Copies of the checkout that are built, and in which one file at a time is changed."""

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

BUILD_SECONDS = 600  # the documents are made by the changed program, which may hang
DATA_BYTES, FILE_BYTES = 4 << 30, 1 << 30  # of a process of the changed program
SKIPPED = 77

PLAIN = ["-Dbuildtype=plain", "-Doptimization=0", "-Ddebug=false", "-Dfaults=true"]
COVERAGE = [*PLAIN, "-Db_coverage=true"]
SANITIZED = ["-Dbuildtype=debugoptimized", "-Doptimization=1", "-Db_sanitize=address,undefined", "-Dfaults=true"]


class Limits:
    """How long a suite may take: what waits is given more than what computes, since other programs run besides."""

    def __init__(self, seconds=None, slower=1):
        self.wall = 30 + 8 * slower * seconds if seconds is not None else 900
        self.cpu = 10 + 4 * slower * int(seconds + 1) if seconds is not None else 600


def snapshot(root, directory):
    """The checkout as it is now: people go on working in it."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True,
                           text=True).stdout.splitlines()
    mirror(root, directory, {name for name in names if (root / name).is_file()})
    return directory


def mirror(source, directory, names=None):
    """Files that differ are copied anew, so that little is compiled again; what a killed run left changed is among them."""
    names = names or {str(file.relative_to(source)) for file in source.rglob("*") if file.is_file()}
    for name in names:
        have, want = directory / name, source / name
        if have.exists() and have.read_bytes() == want.read_bytes():
            continue
        have.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(want, have)
    for have in [file for file in directory.rglob("*") if file.is_file()]:
        if str(have.relative_to(directory)) not in names:
            have.unlink()


class Tree:
    """root: a snapshot."""

    def __init__(self, root, directory, options, jobs):
        self.root, self.source, self.build, self.jobs = root, directory / "src", directory / "build", jobs
        self.sanitized, self.files = options is SANITIZED, {}
        mirror(root, self.source)
        self.environment = {**os.environ, "CCACHE_BASEDIR": str(directory), "SF_PLUGIN_DIR": "", "SF_COMMAND_DIR": ""}
        if not (self.build / "build.ninja").exists():
            self.call(["meson", "setup", str(self.build), *options])

    def call(self, command):
        done = subprocess.run(command, cwd=self.source, capture_output=True, text=True, env=self.environment)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout

    def make(self, suites=None):
        """Builds all, or what these suites need. "" if it was built, "compiler" if it was not, "generator" if the changed program failed to make a document."""
        child = subprocess.Popen(["ninja", "-C", str(self.build), "-j", str(self.jobs), "-k", "0", *self.needed(suites or [])], env=self.environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            output, _ = child.communicate(timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return "generator"
        failed = [line for line in output.splitlines() if line.startswith("FAILED: ")]
        if child.returncode == 0:
            return ""
        return "generator" if failed and all(line.split()[1].startswith("docs/") for line in failed) else "compiler"

    def change(self, mutant):
        text = (self.root / mutant.path).read_text()
        (self.source / mutant.path).write_text(text[:mutant.start] + mutant.new + text[mutant.end:])

    def restore(self, mutant):
        shutil.copyfile(self.root / mutant.path, self.source / mutant.path)

    def suites(self):
        """By name; where two share one, the later is "docs schema"."""
        found = {}
        for test in json.loads(self.call(["meson", "introspect", "--tests", str(self.build)])):
            if test["name"] in found:
                test["name"] = f"{test['suite'][0].split(':')[-1]} {test['name']}"
            found[test["name"]] = test
        return found

    def needed(self, suites):
        if suites and not self.files:
            self.files = self.targets()
        return sorted({str(file.relative_to(self.build)) for suite in suites for target in suite["depends"]
                       for file in self.files.get(target, []) if file.is_relative_to(self.build)})

    def targets(self):
        found = json.loads(self.call(["meson", "introspect", "--targets", str(self.build)]))
        return {target["id"]: [Path(file) for file in target["filename"]] for target in found}

    def run(self, suite, limits, stop=None, extra=None):
        """→ what went wrong: "", "skipped", "stopped", "hangs" or "fails". The first case that is not ok ends it."""
        with tempfile.TemporaryDirectory(prefix="sfm", dir="/tmp", ignore_cleanup_errors=True) as scratch:
            environment = {**self.environment, **suite["env"], "MALLOC_PERTURB_": "7", "TMPDIR": scratch, "XDG_STATE_HOME": scratch,
                           "XDG_RUNTIME_DIR": scratch, **(extra or {})}
            if self.sanitized:
                environment |= {"ASAN_OPTIONS": "detect_leaks=1:hard_rss_limit_mb=3000", "UBSAN_OPTIONS": "halt_on_error=1"}
            child = subprocess.Popen(suite["cmd"], cwd=suite["workdir"] or self.build, env=environment, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
                                     preexec_fn=lambda: self.bound(limits))
            try:
                return self.watch(child, suite, limits, stop)
            finally:
                try:
                    os.killpg(child.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                child.wait()

    def bound(self, limits):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 5))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        if not self.sanitized:  # which maps terabytes
            resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))

    @staticmethod
    def watch(child, suite, limits, stop):
        failed = threading.Event()

        def read():
            for line in child.stdout:
                if suite["protocol"] == "tap" and line.startswith(b"not ok") and b"# TODO" not in line:
                    failed.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        end = time.monotonic() + limits.wall
        while child.poll() is None:
            if failed.is_set():
                return "fails"
            if stop and stop.is_set():
                return "stopped"
            if time.monotonic() > end:
                return "hangs"
            try:
                child.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        if child.returncode == -signal.SIGXCPU:
            return "hangs"
        reader.join(1)
        return "skipped" if child.returncode == SKIPPED else "fails" if child.returncode or failed.is_set() else ""

    def first_failure(self, suites, seconds, at_once, slower=1):
        """→ (name, what) of a suite that fails, or None. They run side by side; after a failure the others are stopped."""
        stop, queue, running, failure = threading.Event(), list(suites), {}, None
        with ThreadPoolExecutor(at_once) as pool:
            while running or queue and not failure:
                while queue and not failure and len(running) < at_once:
                    suite = queue.pop(0)
                    future = pool.submit(self.run, suite, Limits(seconds[suite["name"]], slower), stop)
                    running[future] = suite["name"]
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name, what = running.pop(future), future.result()
                    if what in ("fails", "hangs") and not failure:
                        failure = name, what
                        stop.set()
        return failure

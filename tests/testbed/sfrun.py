"""The built sfrun: run to its end, or started, killed and waited for."""

import json
import os
import re
import resource
import signal
import subprocess
import threading
from pathlib import Path

from .server import cache, die_with_parent, installed, versions, wait_for

# None: the one that sfrun was built with. The newer ones rebalance cooperatively.
LIBRDKAFKAS = [None, *versions()["LIBRDKAFKA_VERSIONS"].split(",")]


def with_core_dumps():
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


class Running:
    """A started sfrun; its log is collected by line."""

    def __init__(self, command, env, cwd):
        self.lines, self.binary, self.cwd = [], command[0], Path(cwd or ".")
        self.process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", preexec_fn=with_core_dumps)
        self.reader = threading.Thread(target=self.collect, daemon=True)
        self.reader.start()

    def collect(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self):
        return "\n".join(self.lines)

    def alive(self):
        return self.process.poll() is None

    def wait_line(self, pattern, seconds=30):
        """The first line so far, or to come, that the pattern matches."""
        def found():
            line = next((line for line in self.lines if re.search(pattern, line)), None)
            assert line or self.alive(), f"sfrun ended before a line matched '{pattern}':\n{self.output}"
            return line
        return wait_for(found, seconds, lambda: f"no line matches '{pattern}':\n{self.output[-4000:]}")

    def wait(self, seconds=120):
        """The exit status, negative for a signal."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"sfrun did not end within {seconds} s:\n{self.output[-4000:]}") from None
        self.reader.join(10)
        if self.process.returncode in (-signal.SIGSEGV, -signal.SIGABRT):
            self.lines += ["", f"core dumps in {self.cwd}:", *(str(path) for path in self.cwd.glob("core*"))]
        return self.process.returncode

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        return self.wait()

    def kill_after(self, effect, seconds=60):
        """Kills it as soon as effect() is true. False: it had ended by itself."""
        wait_for(lambda: effect() or not self.alive(), seconds, lambda: f"no effect of sfrun is seen\n{self.output[-4000:]}", every=0.002)
        return self.kill() == -signal.SIGKILL

    def stop(self, seconds=60):
        self.process.terminate()
        return self.wait(seconds)


class Sfrun:
    def __init__(self, build, librdkafka=None):
        self.build = Path(build).resolve()
        self.library = installed(cache() / f"librdkafka-{librdkafka}" / "librdkafka.so.1").parent if librdkafka else None
        self.binary = self.build / "core" / "sfrun"
        if not self.binary.exists():
            raise RuntimeError(f"{self.binary} is missing: build it first (tests/run does)")

    def environment(self, extra=None):
        plugins = sorted(path.parent for path in self.build.glob("plugins/*/*.so"))
        library = {"LD_LIBRARY_PATH": str(self.library)} if self.library else {}
        return {**os.environ, **library, "SF_PLUGIN_PATH": ":".join(map(str, plugins)), "SF_COMMAND_PATH": str(self.build / "commands"),
                "SF_CORE_DUMPS": "1",  # a crash in a test is looked at
                "SF_PLUGIN_DIR": "", "SF_COMMAND_DIR": "",  # what is installed here is another Streamforge
                "XDG_STATE_HOME": str(self.build / "state"),
                **{name: str(value) for name, value in (extra or {}).items()}}

    def run(self, *arguments, env=None, cwd=None, seconds=120, check=True, stdin=None):
        """A finished command with text in stdout and stderr. check: fails unless it ended with status 0."""
        done = subprocess.run([self.binary, *map(str, arguments)], env=self.environment(env), cwd=cwd, timeout=seconds, text=True,
                              errors="replace", capture_output=True, check=False, input=stdin, preexec_fn=die_with_parent)
        if check:
            assert done.returncode == 0, f"sfrun {' '.join(map(str, arguments))}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *arguments, **options):
        return json.loads(self.run(*arguments, **options).stdout)

    def start(self, *arguments, env=None, cwd=None):
        return Running([self.binary, *map(str, arguments)], self.environment(env), cwd)

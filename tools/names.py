"""Names of static functions that say in a backtrace where one is: none stands in more than MOST files of core, plugins and commands,
hooks aside, which have the names that their descriptors have.

tools/name-debts has one line a room, COUNT ROOM: how many of its functions have such a name. No room may have more.
"""

import re
from collections import Counter, defaultdict

from prose import debts, room_of

MOST = 2
ROOMS = ("core", "plugins", "commands")
HOOKS = {"apply", "assign", "bind", "close", "commit", "interrupt", "keep_row", "open", "poll", "publish", "recover", "revoke", "settle",
         "tick", "write", "run"}
# As clang-format writes them: the type in the first column, the body's brace there too.
FUNCTION = re.compile(r"^static\b[^;{}()=]*?\b(\w+)\([^;{}]*\)\n\{", re.MULTILINE)


def definitions(root, code_of):
    """name → (path, line) of each static function that has it."""
    found = defaultdict(list)
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.c")):
        code = code_of(path.read_text(encoding="utf-8"))
        for match in FUNCTION.finditer(code):
            found[match[1]].append((path.relative_to(root), code.count("\n", 0, match.start(1)) + 1))
    return found


def shared(root, code_of):
    """(path, line, name, number of files) of every function whose name stands in too many files."""
    for name, places in definitions(root, code_of).items():
        files = len({path for path, _ in places})
        if files > MOST and name not in HOOKS:
            yield from ((path, line, name, files) for path, line in places)


def problems(root, code_of, file):
    """Of rooms that have more than they had; all their names, since nobody can tell which one is new."""
    allowed, every = debts(file), list(shared(root, code_of))
    counts = Counter(room_of(path) for path, *_ in every)
    for path, line, name, files in every:
        room = room_of(path)
        if counts[room] > allowed.get(room, 0):
            yield str(path), line, (f"{name}() stands in {files} files, so that a backtrace does not say where it is; put the file's word into the "
                                    f"name ({counts[room]} in {room}, {allowed.get(room, 0)} allowed)")

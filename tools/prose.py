"""Turns of another language that slip into messages, comments and pages; docs/internals/glossary.md says what to write instead.

tools/prose-debts has one line a room, COUNT ROOM: how many it had when the rule came. No room may have more.
"""

import re
from collections import Counter

SUFFIXES = (".c", ".h", ".cc", ".md", ".py", ".rs")
ROOMS = ["include", "core", "plugins", "commands", "docs", "examples"]
PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
KEPT = {"docs/internals/glossary.md"}  # quotes them

TURNS = [
    (re.compile(r"(?<!there )(?<!There )\b(?:is|was|are|were|be) no (?!longer\b|more\b|less\b|other\b|way\b|need\b|room\b|doubt\b)[a-z]\w*"),
     "'is not a …', 'is not valid …'"),
    (re.compile(r"(?<!there )(?<!There )\b(?:is|was|are|were|be) none\b(?! of (?:the|its|their|them)\b)"), "'is not one', or say what it is"),
    (re.compile(r"\bnone that\b"), "'one that … not', or say what is missing"),
    (re.compile(r"\bwhose (?:it|they|he) (?:is|are|was)\b"), "'who owns it', 'which … it belongs to'"),
    (re.compile(r"\b(?:who|whoever) asks that\b"), "'whoever asked'"),
]


def room_of(path):
    """plugins/json-decode, plugins/kit, core/config, docs, …: what one person looks after."""
    parts = path.parts
    return "/".join(parts[:2]) if parts[0] in ("core", "plugins") and len(parts) > 2 else parts[0]


def files(root):
    paths = [path.relative_to(root) for room in ROOMS for path in sorted((root / room).rglob("*")) if path.suffix in SUFFIXES]
    return [path for path in [*paths, *map(type(root), PAGES)] if str(path) not in KEPT]


def found(root):
    for path in files(root):
        for number, line in enumerate((root / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for pattern, instead in TURNS:
                for match in pattern.finditer(line):
                    yield path, number, match[0], instead


def debts(file):
    lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {room: int(count) for count, room in lines}


def problems(root, file):
    """Of rooms that have more than they had; all their lines, since nobody can tell which one is new."""
    allowed, every = debts(file), list(found(root))
    counts = Counter(room_of(path) for path, *_ in every)
    for path, number, turn, instead in every:
        room = room_of(path)
        if counts[room] > allowed.get(room, 0):
            yield str(path), number, f"'{turn}' reads like a translation; write {instead} ({counts[room]} in {room}, {allowed.get(room, 0)} allowed)"

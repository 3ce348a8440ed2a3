"""What may be changed: operators and constants of C files, one at a time, and how a change is named."""

import random
import re
from pathlib import Path

# What is not code: comments, strings, characters, preprocessor lines with their continuations.
OPAQUE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:\\\n|[^\n])*', re.DOTALL | re.MULTILINE)
# `*`, `&`, `<<` and the like mean several things, or seldom compile when changed; a lone `-` or `+` is taken where it is binary.
TOKEN = re.compile(r"->|<<=|>>=|<<|>>|\+\+|--|<=|>=|==|!=|&&|\|\||\+=|-=|!|<|>|(?<=[\w)\]] )[-+](?= )|\btrue\b|\bfalse\b|"
                   r"\b(?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*\b(?!\.)")
SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+",
         "+=": "-=", "-=": "+=", "++": "--", "--": "++", "!": "", "true": "false", "false": "true"}


class Mutant:
    def __init__(self, path, text, lines, match):
        self.path, self.start, self.end, self.old = str(path), match.start(), match.end(), match.group()
        self.new = SWAPS.get(self.old, None if not self.old[0].isdigit() else more(self.old))
        before = text[:self.start]
        line = lines[before.count("\n")]
        self.line = before.count("\n") + 1
        self.column = self.start - (before.rfind("\n") + 1) + 1
        self.source = line.strip()
        # The place within the line, white space at its start apart: a name outlives a new indentation.
        self.key = f"{path}: {self.source}: {self.column - (len(line) - len(line.lstrip()))}: {self.old}"

    def __str__(self):
        return f"{self.path}:{self.line}:{self.column}: '{self.old}' → '{self.new}'   {self.source}"


def more(number):
    digits = re.match(r"0[xX][0-9a-fA-F]+|[0-9]+", number).group()
    return f"{int(digits, 16) + 1:#x}{number[len(digits):]}" if digits[:2] in ("0x", "0X") else f"{int(digits) + 1}{number[len(digits):]}"


def mutants_of(root, path):
    """All of a file. Where lines are alike, the later ones get a number: "…: 12: ==: 2"."""
    text = (root / path).read_text()
    lines, seen, found = text.splitlines(), {}, []
    blank = OPAQUE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for match in TOKEN.finditer(blank):
        mutant = Mutant(path, text, lines, match)
        if mutant.new is None:
            continue
        seen[mutant.key] = seen.get(mutant.key, 0) + 1
        if seen[mutant.key] > 1:
            mutant.key += f": {seen[mutant.key]}"
        found.append(mutant)
    return found


def mutants_in(root, paths):
    files = sorted({file.relative_to(root) for path in paths
                    for file in ([path] if path.is_file() else [*path.rglob("*.c"), *path.rglob("*.h")])})
    return [mutant for file in files for mutant in mutants_of(root, file)]


def explained(root):
    """Names of tests/mutants.txt; behind each, indented, the reason why nobody can see the change."""
    file = root / "tests" / "mutants.txt"
    return {line.rstrip("\n") for line in file.open() if line.strip() and line[0] not in " #"} if file.exists() else set()


def draw(root, paths, seed, count):
    """→ the sample, and of how many. What tests/mutants.txt explains is not among them."""
    known = explained(root)
    every = [mutant for mutant in mutants_in(root, paths) if mutant.key not in known]
    return random.Random(seed).sample(every, min(count, len(every))), len(every)


def stale(root):
    """Explanations of what is not there any more."""
    names = explained(root)
    files = {Path(name.split(": ", 1)[0]) for name in names}
    there = {mutant.key for file in files if (root / file).is_file() for mutant in mutants_of(root, file)}
    return sorted(names - there)

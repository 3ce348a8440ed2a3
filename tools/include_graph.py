"""Circles between files: which source uses which, by includes and by the functions and tables that another one defines.

A unit is a source with its header: core/data/batch is batch.c and batch.h. A header whose functions stand in several sources
hides nothing, since a use leads to the source that defines what is used.
"""

import re
from pathlib import Path

ROOMS = ("core", "plugins", "commands")
SUFFIXES = (".c", ".cpp", ".cc", ".h")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
WORD = re.compile(r"\b[A-Za-z_]\w+\b")
HEAD = r"^(?!static\b|typedef\b|extern\b|else\b|return\b)"
# As clang-format writes them: the type in the first column, the body's brace there too.
FUNCTION = re.compile(HEAD + r"[A-Za-z_][\w\s*]*?[\s*](\w+)\([^;{}]*\)\n\{", re.MULTILINE)
TABLE = re.compile(HEAD + r"(?:SF_\w+ )?const [A-Za-z_][\w\s*]*?[\s*](\w+)(?:\[[^\]]*\])* = ", re.MULTILINE)


def is_reachable(user, owner):
    """Whether a name that `owner` defines is what `user` means by it: other programs and plugins have names of their own."""
    if owner.startswith(("core/", "plugins/kit/")):
        return True
    depth = 2 if user.startswith("plugins/") else 1
    return user.split("/")[:depth] == owner.split("/")[:depth]


def definitions(code):
    found = {}
    for path, text in code.items():
        if path.suffix != ".h":
            for match in [*FUNCTION.finditer(text), *TABLE.finditer(text)]:
                found.setdefault(match[1], set()).add(unit_of(path))
    return found


def unit_of(path):
    return str(path.with_suffix(""))


def included(path, name, units):
    for folder in (path.parent, Path("core"), Path("plugins/kit"), Path("commands"), Path(*path.parts[:2])):
        if folder / name in units:
            return unit_of(folder / name)
    return None


def uses(root, code_of):
    """unit → the units that it uses."""
    paths = [path.relative_to(root) for room in ROOMS for path in sorted((root / room).rglob("*")) if path.suffix in SUFFIXES]
    texts = {path: (root / path).read_text(encoding="utf-8") for path in paths}
    code = {path: code_of(text) for path, text in texts.items()}
    owners = definitions(code)
    graph = {unit_of(path): set() for path in paths}
    for path in paths:
        unit = unit_of(path)
        graph[unit].update(filter(None, (included(path, name, code) for name in INCLUDE.findall(texts[path]))))
        if path.suffix == ".h":
            continue
        for word in set(WORD.findall(code[path])) & owners.keys():
            near = [owner for owner in owners[word] if is_reachable(unit, owner)]
            if len(near) == 1:
                graph[unit].update(near)
        graph[unit].discard(unit)
    return graph


def circles(graph):
    """The sets of units that reach each other (Tarjan's strongly connected components), each sorted."""
    order, low, stack, found = {}, {}, [], []

    def visit(unit):
        order[unit] = low[unit] = len(order)
        stack.append(unit)
        for other in sorted(graph[unit]):
            if other not in order:
                visit(other)
                low[unit] = min(low[unit], low[other])
            elif other in stack:
                low[unit] = min(low[unit], order[other])
        if low[unit] == order[unit]:
            at = stack.index(unit)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for unit in sorted(graph):
        if unit not in order:
            visit(unit)
    return sorted(found)


def problems(root, code_of, debts, place):
    """New circles, and debts that say more than there is."""
    graph = uses(root, code_of)
    now = circles(graph)
    for circle in now:
        allowed = next((debt for debt in debts if set(circle) <= set(debt)), None)
        if allowed is None:
            ties = "; ".join(f"{unit} uses {' '.join(sorted(graph[unit] & set(circle)))}" for unit in circle)
            yield circle[0], f"files use each other in a circle: {ties}"
        elif allowed != circle:
            yield place, f"this circle is smaller now, write: circle {' '.join(circle)}"
    for debt in debts:
        if not any(set(circle) <= set(debt) for circle in now):
            yield place, f"this circle is no more, take its line out: circle {' '.join(debt)}"

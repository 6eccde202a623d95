"""What a callgrind dump says, and whose the instructions are.

A row is a name and the functions that it begins with.  What a function of a row spends below itself is the row's, but
for what is spent below a function of another row: rows do not overlap, and with what no row reached they sum up to the
total.  Where a helper between two rows is called by several, what it passes on is shared by what each call of it cost.
"""
import re


class Dump:
    """Of one thread: what each function spent itself, and each caller below each callee."""

    def __init__(self, path):
        self.names, self.own, self.below = {}, {}, {}
        files, at, file, callee = {}, None, None, None
        called = False
        with open(path) as lines:
            for line in lines:
                line = line.rstrip("\n")
                if line[:1] in "0123456789+-*" and line:
                    cost = int(line.split()[1]) if " " in line else 0
                    if called:
                        self.below.setdefault(at, {})
                        self.below[at][callee] = self.below[at].get(callee, 0) + cost
                        called = False
                    else:
                        self.own[at] = self.own.get(at, 0) + cost
                    continue
                key, _, value = line.partition("=")
                if key in ("fl", "fi", "fe", "cfi", "cfl"):
                    name = named(files, value)
                    file = name if key == "fl" else file
                elif key in ("fn", "cfn"):
                    found = re.match(r"\((\d+)\)(?: (.*))?", value)
                    if key == "cfn":
                        callee = found.group(1)
                        self.names.setdefault(callee, [None, found.group(2)])
                    else:
                        at = found.group(1)
                        known = self.names.setdefault(at, [None, found.group(2)])
                        known[0] = file
                        known[1] = known[1] or found.group(2)
                elif key == "calls":
                    called = True
        self.total = sum(self.own.values())

    def inclusive(self, function):
        return self.own.get(function, 0) + sum(self.below.get(function, {}).values())

    def split(self, rows):
        """rows: {name: pattern of "file:function"}, the first that fits -> ({row: instructions}, rest)."""
        patterns = [(row, re.compile(pattern)) for row, pattern in rows]
        marked = {}
        for function, (file, name) in self.names.items():
            text = f"{file}:{(name or '').split(chr(39))[0]}"
            row = next((row for row, pattern in patterns if pattern.search(text)), None)
            if row is not None:
                marked[function] = row
        calls_of = {}
        for callees in self.below.values():
            for callee, cost in callees.items():
                calls_of[callee] = calls_of.get(callee, 0) + cost
        through, made = {}, {}

        def passed(function):
            """What reaches marked functions below this one, by function."""
            if function in through:
                return through[function]
            through[function] = {}                       # a cycle passes nothing on twice
            found = {}
            for callee, cost in self.below.get(function, {}).items():
                if callee in marked:
                    found[callee] = found.get(callee, 0) + cost
                elif calls_of[callee] > 0:
                    for deeper, part in passed(callee).items():
                        found[deeper] = found.get(deeper, 0) + part * cost / calls_of[callee]
            through[function] = found
            return found

        for function, row in marked.items():
            made[row] = made.get(row, 0) + self.inclusive(function) - sum(passed(function).values())
        return made, self.total - sum(made.values())


def named(names, value):
    """Names are written once, then by number."""
    found = re.match(r"\((\d+)\)(?: (.*))?", value)
    if found is None:
        return value
    if found.group(2) is not None:
        names[found.group(1)] = found.group(2)
    return names.get(found.group(1))

"""No two layers define the same function: the linker would silently take one of them.

    symbols.py ARCHIVE...        fails with the names that more than one archive defines
"""
import collections
import subprocess
import sys


def defined(archive):
    out = subprocess.run(["nm", "-g", "--defined-only", archive], capture_output=True, text=True, check=True).stdout
    return {line.split()[2] for line in out.splitlines() if len(line.split()) == 3 and line.split()[1] in "TDBR"}


def main(archives):
    where = collections.defaultdict(list)
    for archive in archives:
        for name in defined(archive):
            where[name].append(archive.rsplit("/", 1)[-1])
    twice = {name: at for name, at in where.items() if len(at) > 1}
    for name, at in sorted(twice.items()):
        print(f"{name} is defined in {' and '.join(sorted(at))}")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

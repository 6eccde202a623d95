#!/bin/sh
# lint/names -- a global name that two archives define.
#
#   names.sh ARCHIVE...        exit 1 and a line a finding
#   names.sh --self-check CC   builds two archives with the same name in them
#
# The linker takes the first one that it meets and says nothing: a call from
# one layer then ends in another layer's function.
set -eu

check() {
    twice=$(nm --defined-only --extern-only -j "$@" | grep -v ':$' | grep . |
        grep -vE '^_*(asan|ubsan|tsan|gcov|sanitizer)_' | sort | uniq -d)
    for name in $twice; do
        echo "$name is defined twice"
    done
    [ -z "$twice" ]
}

self_check() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    echo 'int one(void); int one(void) { return 1; } int two(void); int two(void) { return 2; }' > "$folder/a.c"
    echo 'int one(void); int one(void) { return 3; } static int two; int *three(void); int *three(void) { return &two; }' > "$folder/b.c"
    for name in a b; do
        "$1" -c "$folder/$name.c" -o "$folder/$name.o"
        ar rc "$folder/lib$name.a" "$folder/$name.o"
    done
    check "$folder/liba.a" || { echo "one archive alone was refused"; return 1; }
    found=$(check "$folder/liba.a" "$folder/libb.a" || true)
    [ "$found" = "one is defined twice" ] || { echo "want one, have: $found"; return 1; }
}

if [ "$1" = --self-check ]; then
    self_check "$2"
else
    check "$@"
fi

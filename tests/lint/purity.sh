#!/bin/sh
# lint/purity -- what the pure archives need from outside, and what they change.
#
#   purity.sh ARCHIVE...        libbase.a libfhir.a ...; exit 1 and a line a finding
#   purity.sh --self-check CC   builds an archive with violations in it
#
# Two questions for nm and objdump: does a pure layer call anything that could
# tell the time, do I/O, read the environment or end the program (everything
# that is not on the list below is a finding); and does it keep a variable
# that lives longer than a call.
set -eu

# The C library without the world: memory, bytes, text made in memory, assert.
COMMON='malloc|calloc|realloc|free|explicit_bzero|bsearch|abs
mem[a-z]+|str(len|nlen|chr|rchr|cmp|ncmp|casecmp|ncasecmp|str|spn|cspn|pbrk|dup|ndup)
v?snprintf|__assert_fail|abort|toupper|tolower|__ctype_(b|tolower|toupper)_loc
__(mem|str|explicit_bzero|v?snprintf)[a-z_]*_chk|__isoc99_[a-z]+printf
__u?(div|mod|divmod)ti[34]
__stack_chk_fail|__fortify_fail|__popcountdi2|_GLOBAL_OFFSET_TABLE_|__fdelt_chk
_?_?(asan|ubsan|tsan|sanitizer|gcov|llvm)_.*|__start___.*|__stop___.*'

allowed() {
    printf '%s' "$COMMON" | tr '\n' '|'
    case $1 in
    *libbase.a)     printf '|cJSON_[A-Za-z]+' ;;                              # json_author.c
    *libconsent.a)  printf '|inflate[A-Za-z0-9_]*|crc32|adler32' ;;           # inflate.c
    *libmappings.a) printf '|xml[A-Za-z0-9]+' ;;                              # ccda/xml_guard.c
    esac
}

# Symbols that some archive of the list defines are ours.
check() {
    own=$(nm --defined-only --extern-only -j "$@" | grep -v ':$' | sort -u)
    failed=0
    for archive in "$@"; do
        bad=$(nm --undefined-only -j "$archive" | grep -v ':$' | grep . | sort -u |
            grep -vxE "$(allowed "$archive")" | grep -vxF "$own" || true)
        for symbol in $bad; do
            echo "$(basename "$archive"): needs $symbol"
            failed=1
        done
        # Sanitizers and coverage add variables of their own.
        if nm -j "$archive" | grep -qE '^_*(asan|ubsan|tsan|gcov|sanitizer)_'; then
            continue
        fi
        # address, flags, "O" for a variable, section, size, name
        bad=$(objdump -t "$archive" | awk '$3 == "O" && $4 ~ /^\.t?(data|bss)/ && $4 !~ /^\.data\.rel\.ro/ { print $NF }')
        for symbol in $bad; do
            echo "$(basename "$archive"): changes $symbol"
            failed=1
        done
    done
    return $failed
}

self_check() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cat > "$folder/bad.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static int calls;
int shared = 1;
static const char *const names[] = { "a", "b" };
const char *f(int n);
const char *f(int n) { calls++; printf("%ld", (long)time(NULL)); return getenv(names[n]); }
C
    cat > "$folder/good.c" <<'C'
#include <string.h>
static const char *const names[] = { "a", "b" };
size_t g(int n);
size_t g(int n) { return strlen(names[n]); }
C
    for name in bad good; do
        "$1" -O1 -fPIC -c "$folder/$name.c" -o "$folder/$name.o"
        ar rc "$folder/lib$name.a" "$folder/$name.o"
    done
    check "$folder/libgood.a" || { echo "a pure archive was refused"; return 1; }
    found=$(check "$folder/libbad.a" "$folder/libgood.a" || true)
    for word in 'needs time' 'needs getenv' 'needs printf' 'changes calls' 'changes shared'; do
        echo "$found" | grep -q "$word" || { echo "not found: $word in: $found"; return 1; }
    done
    if echo "$found" | grep -qE 'names|strlen|good'; then
        echo "too much found: $found"
        return 1
    fi
}

if [ "$1" = --self-check ]; then
    self_check "$2"
else
    check "$@"
fi

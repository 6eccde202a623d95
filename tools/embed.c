/* tools/embed.c -- a file as the bytes of an array, at build time.
 *
 *     sluice-embed IN OUT.def
 *
 * `static const char all[] = { #include "OUT.def" 0 };`: for texts that people keep as files of their own kind.
 * 0 written, 2 usage, 4 a file failed.
 */
#include <stdbool.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
    FILE *in  = argc == 3 ? fopen(argv[1], "rbe") : NULL;
    FILE *out = in != NULL ? fopen(argv[2], "we") : NULL;
    int   c, column = 0;

    if (argc != 3) {
        (void)fputs("usage: sluice-embed IN OUT.def\n", stderr);
        return 2;
    }
    if (out == NULL) {
        perror(in == NULL ? argv[1] : argv[2]);
        return 4;
    }
    while ((c = getc(in)) != EOF)
        (void)fprintf(out, "%d,%s", c, ++column % 24 == 0 ? "\n" : "");
    bool failed = ferror(in) != 0 || ferror(out) != 0;
    failed      = fclose(in) != 0 || failed;
    failed      = fclose(out) != 0 || failed;
    if (failed)
        (void)remove(argv[2]);
    return failed ? 4 : 0;
}

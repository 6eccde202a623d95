/* tests/fuzz/replay.c -- runs a harness over every file of the folders named,
 * in builds without libFuzzer.  A crash or a failed check ends the program. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *dir, const char *name)
{
    char  path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (name[0] == '.' || (f = fopen(path, "rb")) == NULL)
        return 0;
    uint8_t *bytes = malloc(1 << 20);
    if (bytes == NULL)
        abort();
    size_t size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    /* A copy of the exact size, so that a sanitizer sees a read past the end. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    for (size_t i = 0; i < size; i++)
        exact[i] = bytes[i];
    free(bytes);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

int
main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir == NULL)
            continue;
        for (struct dirent *e; (e = readdir(dir)) != NULL;)
            count += run_file(argv[i], e->d_name);
        closedir(dir);
    }
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}

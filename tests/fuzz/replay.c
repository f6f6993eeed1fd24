/* replay.c - a target without a fuzzer: runs it over the files of the folders that are named, or of its corpus, and
 * says so in TAP. In a build for a fuzzer, which brings a main of its own, there is nothing here. */
#include "fuzz/fuzz.h"

#ifndef EVPQ_FUZZING

# include <dirent.h>

static int files;

static void replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    enum { MOST = 1 << 20 };
    static uint8_t room[MOST];
    size_t n = fread(room, 1, MOST, f);
    fclose(f);
    uint8_t *data = (uint8_t *)fuzz_text(room, n);
    fprintf(stderr, "%s\n", path); /* the last one said is the one that ended us */
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    files++;
}

static void replay_all(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    if (n < 0) {
        perror(folder);
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        if (names[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
            replay(path);
        }
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir");
    const char *name = strrchr(argv[0], '/');
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", top ? top : ".",
             name ? name + 1 : argv[0]);
    puts("1..1");
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        replay_all(argv[i]);
    if (argc == 1)
        replay_all(folder);
    if (!files)
        printf("not ");
    printf("ok 1 - %d files\n", files);
    return !files;
}

#endif

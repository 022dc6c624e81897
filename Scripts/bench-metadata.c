// The metadata loop of Scripts/bench: one operation on COUNT files of one directory, or again and again for SECONDS on
// every file of a tree, which has been looked at once before; one process.
// usage: bench-metadata create|small|stat|read|rename|unlink DIRECTORY COUNT [PREFIX]     prints operations per second
//        bench-metadata tree-stat|tree-read DIRECTORY SECONDS
// Names are PREFIX (f) and a number.
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "bench-metadata: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void create(const char *path, const char *bytes, size_t count) {
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (file < 0) fail(path);
    if (count && write(file, bytes, count) != (ssize_t)count) fail(path);
    if (close(file)) fail(path);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static char **files;
static size_t file_count;

static int note(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)place;
    if (kind != FTW_F || !S_ISREG(status->st_mode)) return 0;
    if (file_count % 1024 == 0) files = realloc(files, (file_count + 1024) * sizeof *files);
    if (!files || !(files[file_count++] = strdup(path))) fail("memory");
    return 0;
}

static void look(const char *path, int reads) {
    static char bytes[1 << 20];
    struct stat status;
    if (!reads) {
        if (lstat(path, &status)) fail(path);
        return;
    }
    int file = open(path, O_RDONLY);
    if (file < 0) fail(path);
    ssize_t count;
    while ((count = read(file, bytes, sizeof bytes)) > 0) continue;
    if (count < 0 || close(file)) fail(path);
}

static int tree(const char *root, int reads, double seconds) {
    if (nftw(root, note, 64, FTW_PHYS)) fail(root);
    if (!file_count) fail("no files");
    for (size_t i = 0; i < file_count; i++) look(files[i], reads);
    double start = now(), time;
    long count = 0;
    do {
        for (size_t i = 0; i < file_count; i++, count++) look(files[i], reads);
    } while ((time = now() - start) < seconds);
    printf("%.1f\n", (double)count / time);
    return 0;
}

static void rename_file(const char *path) {
    char renamed[4100];
    snprintf(renamed, sizeof renamed, "%s-new", path);
    if (rename(path, renamed)) fail(path);
}

static void perform(const char *operation, const char *path) {
    static const char bytes[4096] = {'s'};
    if (!strcmp(operation, "create")) {
        create(path, bytes, 0);
    } else if (!strcmp(operation, "small")) {
        create(path, bytes, sizeof bytes);
    } else if (!strcmp(operation, "stat")) {
        look(path, 0);
    } else if (!strcmp(operation, "read")) {
        look(path, 1);
    } else if (!strcmp(operation, "rename")) {
        rename_file(path);
    } else if (unlink(path)) {
        fail(path);
    }
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: bench-metadata create|small|stat|read|rename|unlink DIRECTORY COUNT [PREFIX]\n"
                        "       bench-metadata tree-stat|tree-read DIRECTORY SECONDS\n");
        return 2;
    }
    const char *operation = argv[1], *prefix = argc == 5 ? argv[4] : "f";
    if (!strncmp(operation, "tree-", 5)) return tree(argv[2], !strcmp(operation, "tree-read"), atof(argv[3]));
    long count = atol(argv[3]);
    int looks = !strcmp(operation, "stat") || !strcmp(operation, "read");
    double start = now();
    for (long i = 0; i < count; i++) {
        // 7919 is prime: every file once, in an order that no cache foresees.
        long number = looks ? i * 7919 % count : i;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s%ld", argv[2], prefix, number);
        perform(operation, path);
    }
    printf("%.1f\n", (double)count / (now() - start));
    return 0;
}

// The metadata loop of Scripts/bench: one operation on COUNT files of one directory, one process.
// usage: bench-metadata create|small|stat|unlink DIRECTORY COUNT     prints operations per second
#include <errno.h>
#include <fcntl.h>
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

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: bench-metadata create|small|stat|unlink DIRECTORY COUNT\n");
        return 2;
    }
    long count = atol(argv[3]);
    char path[4096], bytes[4096];
    memset(bytes, 's', sizeof bytes);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < count; i++) {
        // 7919 is prime: every file once, in an order that no cache foresees.
        long number = strcmp(argv[1], "stat") ? i : i * 7919 % count;
        snprintf(path, sizeof path, "%s/f%ld", argv[2], number);
        if (!strcmp(argv[1], "create")) {
            create(path, bytes, 0);
        } else if (!strcmp(argv[1], "small")) {
            create(path, bytes, sizeof bytes);
        } else if (!strcmp(argv[1], "stat")) {
            struct stat status;
            if (lstat(path, &status)) fail(path);
        } else if (unlink(path)) {
            fail(path);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    printf("%.1f\n", (double)count / seconds);
    return 0;
}

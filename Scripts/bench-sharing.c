// Two processes on one 4 KiB block through two mounts, for Scripts/bench. Times are CLOCK_MONOTONIC of this machine.
// usage: bench-sharing visible PATH OTHER COUNT PERCENTILE
//            writes COUNT times on PATH; a reader spins on OTHER: prints the percentile of milliseconds from just before a
//            write until the reader has it. What is not seen within a second counts as one.
//        bench-sharing ping-pong PATH OTHER SECONDS 0
//            one writes an odd number, the other waits until it reads it and writes the next: prints round trips per second
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { blockBytes = 4096 };
static const int64_t second = 1000000000;

static void fail(const char *what) {
    fprintf(stderr, "bench-sharing: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second + time.tv_nsec;
}

struct content {
    int64_t number, written;
};

static void put(int file, int64_t number) {
    char block[blockBytes] = {0};
    struct content content = {number, now()};
    memcpy(block, &content, sizeof content);
    if (pwrite(file, block, sizeof block, 0) != sizeof block) fail("write");
}

// Spins until the block has `number` or a later one; false once `deadline` has passed.
static int see(int file, int64_t number, int64_t deadline, struct content *content) {
    char block[blockBytes];
    do {
        if (pread(file, block, sizeof block, 0) != sizeof block) fail("read");
        memcpy(content, block, sizeof *content);
        if (content->number >= number) return 1;
    } while (now() < deadline);
    return 0;
}

static int open_at(const char *path, int flags) {
    int file = open(path, flags, 0644);
    if (file < 0) fail(path);
    return file;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

// The reader tells the writer by a pipe when it has seen a write and has spun on for a while: it holds what it needs
// for that again, and the next write comes to it as to any reader that waits.
static void watch(const char *path, long count, int told) {
    int file = open_at(path, O_RDONLY);
    for (int64_t number = 1; number <= count; number++) {
        struct content content;
        int64_t taken = second;
        if (see(file, number, now() + second, &content)) {
            taken = now() - content.written;
            for (int64_t until = now() + second / 1000; now() < until;) see(file, number, 0, &content);
        } else {
            // A filesystem that keeps old content for as long as a file stays open: open it again.
            close(file);
            file = open_at(path, O_RDONLY);
        }
        if (write(told, &taken, sizeof taken) != sizeof taken) fail("pipe");
    }
}

static void visible(const char *path, const char *other, long count, int percentile) {
    int file = open_at(path, O_RDWR | O_CREAT | O_TRUNC), ends[2];
    put(file, 0);
    if (fsync(file) || pipe(ends)) fail(path);
    int64_t *taken = calloc((size_t)count, sizeof *taken);
    if (!taken) fail("memory");
    pid_t reader = fork();
    if (reader == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        watch(other, count, ends[1]);
        exit(0);
    }
    close(ends[1]);
    int64_t deadline = now() + 30 * second;
    long seen = 0;
    for (; seen < count && now() < deadline; seen++) {
        put(file, seen + 1);
        if (read(ends[0], &taken[seen], sizeof *taken) != sizeof *taken) fail("the reader ended");
    }
    kill(reader, SIGKILL);
    waitpid(reader, NULL, 0);
    qsort(taken, (size_t)seen, sizeof *taken, compare);
    printf("%.4f\n", (double)taken[(seen - 1) * percentile / 100] / 1e6);
}

static void ping_pong(const char *path, const char *other, double seconds) {
    int file = open_at(path, O_RDWR | O_CREAT | O_TRUNC);
    put(file, 0);
    if (fsync(file)) fail(path);
    int64_t start = now(), end = start + (int64_t)(seconds * (double)second);
    pid_t partner = fork();
    if (partner == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct content content;
        file = open_at(other, O_RDWR);
        for (int64_t number = 1; see(file, number, end + second, &content); number += 2) put(file, number + 1);
        exit(0);
    }
    int64_t number = 1, trips = 0;
    struct content content;
    for (; now() < end; number += 2, trips++) {
        put(file, number);
        // Waited for a while past the end: a filesystem that never shows it has no round trips.
        if (!see(file, number + 1, end + second, &content)) break;
    }
    double taken = (double)(now() - start) / (double)second;
    kill(partner, SIGKILL);
    waitpid(partner, NULL, 0);
    if (!trips) {
        fprintf(stderr, "bench-sharing: what the other mount wrote was never seen\n");
        exit(1);
    }
    printf("%.2f\n", (double)trips / taken);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: bench-sharing visible PATH OTHER COUNT PERCENTILE\n"
                        "       bench-sharing ping-pong PATH OTHER SECONDS 0\n");
        return 2;
    }
    if (!strcmp(argv[1], "visible")) {
        visible(argv[2], argv[3], atol(argv[4]), atoi(argv[5]));
    } else {
        ping_pong(argv[2], argv[3], atof(argv[4]));
    }
    return 0;
}

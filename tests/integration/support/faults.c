/* A disk that fails on request: preloaded into the server (LD_PRELOAD), it stands between SQLite and the system.
 *
 * In the directory named by the variable FAULTS, three files say what happens to the database and the files beside it,
 * as long as they exist:
 *   eio      fsync and fdatasync fail
 *   enospc   there is no space left: nothing can be written or made longer
 *   cramped  a transaction of more than three pages finds no space left in the write-ahead log
 *   nonames  no host name can be resolved
 *   block    fsync and fdatasync wait; the file `blocked` appears when the first one does
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int wanted(const char *fault) {
    const char *directory = getenv("FAULTS");
    char path[4096];
    if (!directory) return 0;
    snprintf(path, sizeof path, "%s/%s", directory, fault);
    return access(path, F_OK) == 0;
}

static void note(const char *what) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), what);
    int file = open(path, O_CREAT | O_WRONLY, 0644);
    if (file >= 0) close(file);
}

static int is_database(int file) {
    static const char *const ends[] = {".db", ".db-wal", ".db-shm", ".db-journal"};
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if ((size_t)length >= end && strcmp(path + length - end, ends[i]) == 0) return 1;
    }
    return 0;
}

/* Bytes written to a write-ahead log since the last sync, and as many as a transaction of three pages takes. */
static size_t unsynced = 0;
static const size_t cramped = 3 * (4096 + 24) + 32;

static int is_log(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 4 && strncmp(path + length - 4, "-wal", 4) == 0;
}

/* Whether so many bytes are more than fit. */
static int is_too_much(int file, size_t count) {
    if (!is_log(file)) return 0;
    unsynced += count;
    if (unsynced <= cramped || !wanted("cramped")) return 0;
    unsynced = 0;
    errno = ENOSPC;
    return 1;
}

/* Whether this sync fails; waits first if it has to. */
static int sync_fails(int file) {
    if (!is_database(file)) return 0;
    unsynced = 0;
    if (wanted("block")) {
        note("blocked");
        while (wanted("block")) usleep(2000);
    }
    if (!wanted("eio")) return 0;
    errno = EIO;
    return 1;
}

static int is_full(int file) {
    int saved = errno;
    int full = wanted("enospc") && is_database(file);
    errno = full ? ENOSPC : saved;
    return full;
}

int fsync(int file) { return sync_fails(file) ? -1 : NEXT(fsync)(file); }
int fdatasync(int file) { return sync_fails(file) ? -1 : NEXT(fdatasync)(file); }

ssize_t write(int file, const void *bytes, size_t count) {
    return is_full(file) ? -1 : NEXT(write)(file, bytes, count);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return is_full(file) || is_too_much(file, count) ? -1 : NEXT(pwrite)(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return is_full(file) || is_too_much(file, count) ? -1 : NEXT(pwrite64)(file, bytes, count, at);
}
int ftruncate(int file, off_t length) { return is_full(file) ? -1 : NEXT(ftruncate)(file, length); }
int ftruncate64(int file, off64_t length) { return is_full(file) ? -1 : NEXT(ftruncate64)(file, length); }
int fallocate(int file, int mode, off_t from, off_t length) {
    return is_full(file) ? -1 : NEXT(fallocate)(file, mode, from, length);
}
int posix_fallocate(int file, off_t from, off_t length) {
    return is_full(file) ? ENOSPC : NEXT(posix_fallocate)(file, from, length);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    return wanted("nonames") ? EAI_AGAIN : NEXT(getaddrinfo)(host, service, hints, found);
}

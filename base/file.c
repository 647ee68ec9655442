/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIR_MAX_DEPTH 128 /* of a folder to remove; each level holds one descriptor */
#define LOCK_STEP_MS  20

/* Open for reading: a regular file, or stdin for "-". */
static int open_input(const char *path, struct gl_error *err)
{
    struct stat info;
    /* O_NONBLOCK: a FIFO must be refused, not waited for. */
    int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    if (strcmp(path, "-") == 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)))
        return fd;
    close(fd);
    return gl_fail(err, GL_E_IO, "%s is not a regular file", path);
}

/* One read into `str`; bytes read, 0 at the end, -1. */
static ssize_t read_some(int fd, struct gl_str *str, const char *path, struct gl_error *err)
{
    char chunk[65536];
    ssize_t got;

    do
        got = read(fd, chunk, sizeof chunk);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", path);
    gl_str_add_bytes(str, chunk, (size_t)got);
    return got;
}

int gl_file_read(const char *path, size_t ceiling, char **out, size_t *out_length,
                 struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = open_input(path, err);
    GL_AUTO(gl_str_done) struct gl_str str = {.ceiling = ceiling ? ceiling : 1};
    ssize_t got = 1;

    if (fd < 0)
        return -1;
    while (got > 0 && !str.is_cut && str.length <= ceiling)
        got = read_some(fd, &str, path, err);
    if (got < 0)
        return -1;
    if (str.is_cut || str.length > ceiling)
        return gl_fail(err, GL_E_TOO_LARGE, "%s is larger than %zu bytes", path, ceiling);
    *out_length = str.length;
    *out = gl_str_take(&str);
    return 0;
}

static int wait_writable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};

    return poll(&wait, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

int gl_fd_write(int fd, const void *bytes, size_t length, struct gl_error *err)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t done = write(fd, at, length);

        if (done < 0 && errno == EAGAIN && wait_writable(fd) == 0)
            continue;
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot write");
        at += done;
        length -= (size_t)done;
    }
    return 0;
}

/* The folder part of a path into a fresh string, "." if there is none; *out_name is the rest. */
static char *split_path(const char *path, const char **out_name)
{
    const char *slash = strrchr(path, '/');
    char *folder;

    *out_name = slash != NULL ? slash + 1 : path;
    if (slash == NULL)
        return gl_strdup(".");
    folder = gl_strdup(path);
    folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

/* Fill a fresh file and have it on disk. */
static int fill(int fd, const void *bytes, size_t length, unsigned mode, struct gl_error *err)
{
    if (gl_fd_write(fd, bytes, length, err))
        return -1;
    if (fchmod(fd, (mode_t)mode) || fsync(fd))
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write");
    return 0;
}

/* A name no one else uses; the file is then made with O_EXCL, so a guess gains nothing. */
static void temporary_name(char out[32])
{
    uint64_t number = (uint64_t)getpid();

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
        number ^= (uint64_t)time(NULL) << 32;
    snprintf(out, 32, ".gl-%016" PRIx64 ".tmp", number);
}

int gl_file_read_given(const char *path, size_t ceiling, char **out, size_t *out_length,
                       struct gl_error *err)
{
    if (gl_file_read(path, ceiling, out, out_length, err) == 0)
        return 0;
    if (err->code == GL_E_IO)
        err->code = GL_E_USAGE;
    return -1;
}

/* Neither file nor link: a device that is replaced is gone for everybody. */
static bool is_special(int folder, const char *name)
{
    struct stat info;

    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(info.st_mode) &&
           !S_ISLNK(info.st_mode) && !S_ISDIR(info.st_mode);
}

int gl_file_write(const char *path, const void *bytes, size_t length, unsigned mode,
                  struct gl_error *err)
{
    const char *name;
    char temporary[32];
    GL_AUTO(gl_auto_free) char *folder_path = split_path(path, &name);
    GL_AUTO(gl_auto_close) int folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    GL_AUTO(gl_auto_close) int fd = -1;

    if (folder < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open folder %s", folder_path);
    if (is_special(folder, name))
        return gl_fail(err, GL_E_IO, "%s is not a regular file", path);
    temporary_name(temporary);
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create a file in %s", folder_path);
    if (fill(fd, bytes, length, mode, err) == 0 && renameat(folder, temporary, folder, name) == 0 &&
        fsync(folder) == 0)
        return 0;
    gl_fail_sys(err, GL_E_IO, errno, "cannot replace the file");
    unlinkat(folder, temporary, 0);
    return gl_wrap(err, "%s", path);
}

/* Of the program, or -1. */
static int standard_stream(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    return strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

static int write_as_it_stands(const char *path, const void *bytes, size_t length,
                              struct gl_error *err)
{
    int standard = standard_stream(path);
    GL_AUTO(gl_auto_close)
    int fd = standard >= 0 ? fcntl(standard, F_DUPFD_CLOEXEC, 3)
                           : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    return gl_fd_write(fd, bytes, length, err) == 0 ? 0 : gl_wrap(err, "%s", path);
}

int gl_file_write_given(const char *path, const void *bytes, size_t length, unsigned mode,
                        struct gl_error *err)
{
    struct stat info;

    if (standard_stream(path) >= 0 ||
        (stat(path, &info) == 0 && (S_ISCHR(info.st_mode) || S_ISFIFO(info.st_mode))))
        return write_as_it_stands(path, bytes, length, err);
    return gl_file_write(path, bytes, length, mode, err);
}

/* mkdir() that is content with a folder already there (or a link to one, as in /var/run). */
static int make_one(const char *path, struct gl_error *err)
{
    struct stat info;
    int sys;

    if (mkdir(path, 0700) == 0)
        return 0;
    sys = errno;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return 0;
    return gl_fail_sys(err, GL_E_IO, sys, "cannot create folder %s", path);
}

int gl_dir_make(const char *path, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *part = gl_strdup(path);

    if (part[0] == '\0')
        return gl_fail(err, GL_E_IO, "cannot create a folder without a name");
    if (mkdir(path, 0700) == 0 || errno == EEXIST) /* most often all above it is there */
        return make_one(path, err);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (make_one(part, err))
            return -1;
        *slash = '/';
    }
    return make_one(part, err);
}

static int empty_folder(int fd, dev_t device, unsigned depth, struct gl_error *err);

/* Remove one entry of `folder`, whatever it is; a link is removed, never followed. */
static int remove_entry(int folder, const char *name, dev_t device, unsigned depth,
                        struct gl_error *err)
{
    int fd;

    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot remove %s", name);
    fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", name);
    if (empty_folder(fd, device, depth + 1, err))
        return gl_wrap(err, "%s", name);
    if (unlinkat(folder, name, AT_REMOVEDIR) && errno != ENOENT)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot remove %s", name);
    return 0;
}

/* Remove the entries the folder shows now; how many there were, -1. */
static int remove_entries(DIR *dir, dev_t device, unsigned depth, struct gl_error *err)
{
    const struct dirent *entry;
    int count = 0;

    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (remove_entry(dirfd(dir), entry->d_name, device, depth, err))
            return -1;
        count++;
    }
    return count;
}

/* Takes fd. Does not cross into another file system: what is mounted inside is not ours. */
static int empty_folder(int fd, dev_t device, unsigned depth, struct gl_error *err)
{
    struct stat info = {0};
    DIR *dir = fdopendir(fd);
    int count = 1;

    if (dir == NULL) {
        gl_fail_sys(err, GL_E_IO, errno, "cannot read the folder");
        close(fd);
        return -1;
    }
    if (fstat(fd, &info) || info.st_dev != device)
        count = gl_fail(err, GL_E_IO, "another file system is mounted here");
    else if (depth > DIR_MAX_DEPTH)
        count = gl_fail(err, GL_E_TOO_LARGE, "nested deeper than %d folders", DIR_MAX_DEPTH);
    else
        fchmod(fd, 0700); /* a folder made read-only inside ours still goes */
    while (count > 0)     /* removing while reading may hide an entry: look again */
        count = remove_entries(dir, device, depth, err);
    closedir(dir);
    return count;
}

int gl_dir_remove(const char *path, struct gl_error *err)
{
    /* "link/" would be followed where "link" is refused. */
    GL_AUTO(gl_auto_free) char *bare = gl_strdup(path);
    struct stat info;
    int fd;

    for (size_t last = strlen(bare); last > 1 && bare[last - 1] == '/'; last--)
        bare[last - 1] = '\0';
    if (lstat(bare, &info) != 0 && errno == ENOENT)
        return 0;
    fd = open(bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open folder %s", path);
    if (empty_folder(fd, info.st_dev, 0, err))
        return gl_wrap(err, "cannot remove %s", path);
    if (rmdir(bare) && errno != ENOENT)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot remove folder %s", path);
    return 0;
}

bool gl_file_exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

static int64_t monotonic_ms(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int gl_file_lock(const char *path, int64_t wait_ms, struct gl_error *err)
{
    const struct timespec step = {0, LOCK_STEP_MS * 1000000L};
    const int64_t start_ms = monotonic_ms();
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int sys;

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        sys = errno;
        if ((sys == EWOULDBLOCK || sys == EINTR) && monotonic_ms() - start_ms < wait_ms) {
            nanosleep(&step, NULL);
            continue;
        }
        close(fd);
        if (sys == EWOULDBLOCK)
            return gl_fail(err, GL_E_LOCKED, "%s is held by another process", path);
        return gl_fail_sys(err, GL_E_IO, sys, "cannot lock %s", path);
    }
    return fd;
}

char *gl_path_join(const char *folder, const char *name)
{
    struct gl_str path = {0};
    size_t length = strlen(folder);

    while (length > 0 && folder[length - 1] == '/')
        length--;
    while (*name == '/' && *folder != '\0')
        name++;
    gl_str_add_bytes(&path, folder, length);
    if (*folder != '\0')
        gl_str_add_char(&path, '/');
    gl_str_add(&path, name);
    return gl_str_take(&path);
}

const char *gl_path_below_root(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && (name[1] == '/' || name[1] == '\0'))
            name++;
        else
            return name;
    }
}

const char *gl_path_of_program(void)
{
    static char folder[PATH_MAX]; /* the same for the whole life of the process */
    char link[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", link, sizeof link - 1);
    char *slash;

    if (folder[0] != '\0' || length <= 0)
        return folder;
    link[length] = '\0';
    slash = strrchr(link, '/');
    if (slash != NULL)
        memcpy(folder, link, slash == link ? 1 : (size_t)(slash - link));
    return folder;
}

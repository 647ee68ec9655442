/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_host.h"

#include "base/file.h"
#include "base/process.h"
#include "providers/cloud/local_payload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS_UP 3 /* build/tests/conformance/test_x looks as far as build/ */
#define LISTED_MAX 256

/* Of root or of us, and nobody else may write to it. */
static bool is_trusted(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           (info.st_uid == 0 || info.st_uid == geteuid()) && (info.st_mode & 002) == 0;
}

/* As the first process of a guest without libraries it must be static. */
static bool is_static_program(const char *path)
{
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char head[GL_PAYLOAD_HEAD], interpreter[256];
    bool is_script;
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);

    return got > 4 &&
           memcmp(head,
                  "\x7f"
                  "ELF",
                  4) == 0 &&
           is_trusted(path) &&
           gl_payload_interpreter(head, (size_t)got, interpreter, &is_script) == 0;
}

static bool is_kernel_folder(const char *path)
{
    GL_AUTO(gl_auto_free) char *kernel = gl_path_join(path, "vmlinuz");
    GL_AUTO(gl_auto_free) char *list = gl_path_join(path, "modules.list");

    return is_trusted(kernel) && is_trusted(list);
}

/* The first of: `given`, then `name` beside the program and in the folders above it. */
static char *find_near(const char *given, const char *name, bool (*is_it)(const char *path))
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (given != NULL && given[0] != '\0')
        return is_it(given) ? gl_strdup(given) : NULL;
    folder = gl_strdup(gl_path_of_program());
    for (int up = 0; up <= FOLDERS_UP && folder[0] == '/'; up++) {
        char *path = gl_path_join(folder, name);

        if (is_it(path))
            return path;
        free(path);
        *strrchr(folder, '/') = '\0';
    }
    return NULL;
}

static char *find_installed_kernel(void)
{
    GL_AUTO(gl_auto_free)
    char *path = gl_path_join(gl_path_of_program(), "../share/greenlaunch/guest");

    return is_kernel_folder(path) ? gl_strdup(path) : NULL;
}

void gl_local_host_look(const struct gl_world *world, struct gl_local_host *out)
{
    const char *guest = world->getenv(world->cookie, "GREENLAUNCH_GUEST");
    const char *meter = world->getenv(world->cookie, "GREENLAUNCH_METER");

    *out = (struct gl_local_host){0};
#ifdef __x86_64__
    out->qemu = gl_program_find("qemu-system-x86_64");
#endif
    out->kernel_folder = find_near(guest, "guest", is_kernel_folder);
    if (out->kernel_folder == NULL && (guest == NULL || guest[0] == '\0'))
        out->kernel_folder = find_installed_kernel();
    out->meter = find_near(meter, "greenlaunch-meter", is_static_program);
    out->busybox = gl_program_find("busybox");
    if (out->busybox != NULL && !is_static_program(out->busybox)) {
        free(out->busybox);
        out->busybox = NULL;
    }
}

void gl_local_host_done(struct gl_local_host *host)
{
    free(host->qemu);
    free(host->kernel_folder);
    free(host->meter);
    free(host->busybox);
    *host = (struct gl_local_host){0};
}

bool gl_local_host_has_vm(const struct gl_local_host *host, const char **out_missing)
{
    const char *missing = NULL;

    if (host->meter == NULL)
        missing = "the static program greenlaunch-meter";
    else if (host->qemu == NULL)
        missing = "QEMU (qemu-system-x86_64)";
    else if (host->kernel_folder == NULL)
        missing = "the unpacked guest kernel";
    if (out_missing != NULL)
        *out_missing = missing;
    return missing == NULL;
}

void gl_local_fingerprint(const char *path, struct gl_str *out)
{
    struct stat info;

    if (stat(path, &info) < 0)
        return;
    gl_str_addf(out, "%s|%llu|%llu|%lld|%lld.%09ld\n", path, (unsigned long long)info.st_dev,
                (unsigned long long)info.st_ino, (long long)info.st_size,
                (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

void gl_local_key(const struct gl_str *text, char out[GL_LOCAL_KEY])
{
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_hash_of(gl_str_text(text), text->length, &hash);
    gl_hash_hex(&hash, hex);
    memcpy(out, hex, GL_LOCAL_KEY - 1);
    out[GL_LOCAL_KEY - 1] = '\0';
}

/* Not O_TMPFILE: some stacked file systems lack it. */
int gl_local_temporary(const char *folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, ".gl-XXXXXX");
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create a file in %s", folder);
    unlink(path);
    return fd;
}

/* ---- old files ---- */

struct listed {
    char name[80];
    struct timespec changed;
};

static int youngest_first(const void *a, const void *b)
{
    const struct listed *left = a, *right = b;

    if (left->changed.tv_sec != right->changed.tv_sec)
        return left->changed.tv_sec < right->changed.tv_sec ? 1 : -1;
    return left->changed.tv_nsec < right->changed.tv_nsec ? 1 : -1;
}

static size_t list_files(DIR *folder, const char *suffix, struct listed *out)
{
    struct dirent *entry;
    size_t count = 0;

    while (count < LISTED_MAX && (entry = readdir(folder)) != NULL) {
        size_t length = strlen(entry->d_name), end = strlen(suffix);
        struct stat info;

        if (length <= end || length >= sizeof out->name ||
            strcmp(entry->d_name + length - end, suffix) != 0 ||
            fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        memcpy(out[count].name, entry->d_name, length + 1);
        out[count++].changed = info.st_mtim;
    }
    return count;
}

void gl_local_keep_youngest(const char *folder, const char *suffix, size_t keep)
{
    GL_AUTO(gl_auto_free) struct listed *files = gl_alloc(LISTED_MAX * sizeof *files);
    DIR *handle = opendir(folder);
    size_t count;

    if (handle == NULL)
        return;
    count = list_files(handle, suffix, files);
    qsort(files, count, sizeof *files, youngest_first);
    for (size_t i = keep; i < count; i++) {
        char companion[96];

        unlinkat(dirfd(handle), files[i].name, 0);
        snprintf(companion, sizeof companion, "%.*s.json",
                 (int)(strlen(files[i].name) - strlen(suffix)), files[i].name);
        unlinkat(dirfd(handle), companion, 0);
    }
    closedir(handle);
}

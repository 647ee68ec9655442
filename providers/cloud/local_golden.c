/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_golden.h"

#include "base/file.h"
#include "providers/cloud/local_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT_MAX  ((uint64_t)16 << 30)
#define SAVE_MS       60000
#define LOAD_MS       30000
#define KEPT          4
#define COMPANION_MAX 4096
#define CHUNK         ((size_t)256 << 10)

static char *path_of(const char *state, const char *key, const char *suffix)
{
    GL_AUTO(gl_str_done) struct gl_str path = {0};

    gl_str_addf(&path, "%s/golden/%s%s", state, key, suffix);
    return gl_str_take(&path);
}

char *gl_golden_text(uint64_t length, const struct gl_hash *hash, struct gl_error *err)
{
    char hex[GL_HASH_HEX];
    GL_AUTO(gl_auto_json)
    json_t *object = json_pack("{s:I s:s s:I}", "length", (json_int_t)length, "blake2b",
                               gl_hash_hex(hash, hex), "v", (json_int_t)1);

    return gl_json_canonical(object, err);
}

int gl_golden_parse(const char *text, size_t size, uint64_t *out_length, struct gl_hash *out_hash,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = gl_json_parse(text, size, "snapshot", err);
    struct gl_hash hash;
    const char *hex;
    int64_t length;

    if (object == NULL ||
        gl_json_int(object, "length", 1, (int64_t)SNAPSHOT_MAX, &length, err) < 0 ||
        gl_json_string(object, "blake2b", &hex, err) < 0 ||
        gl_hex_parse(hex, hash.bytes, sizeof hash.bytes, err) < 0)
        return -1;
    *out_length = (uint64_t)length;
    *out_hash = hash;
    return 0;
}

void gl_golden_remove(const char *state, const char *key)
{
    GL_AUTO(gl_auto_free) char *path = path_of(state, key, ".mig");
    GL_AUTO(gl_auto_free) char *companion = path_of(state, key, ".json");

    unlink(path);
    unlink(companion);
}

void gl_golden_open(const char *state, const char *key, struct gl_golden *out)
{
    GL_AUTO(gl_auto_free) char *path = path_of(state, key, ".mig");
    GL_AUTO(gl_auto_free) char *companion = path_of(state, key, ".json");
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error ignored = {0};
    struct stat info;
    uint64_t length;
    size_t size;

    out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (out->fd < 0)
        return;
    if (fstat(out->fd, &info) == 0 && info.st_uid == geteuid() &&
        gl_file_read(companion, COMPANION_MAX, &text, &size, &ignored) == 0 &&
        gl_golden_parse(text, size, &length, &out->hash, &ignored) == 0 &&
        (uint64_t)info.st_size == length)
        return;
    gl_golden_close(out);
    gl_golden_remove(state, key);
}

void gl_golden_close(struct gl_golden *golden)
{
    if (golden->fd >= 0)
        close(golden->fd);
    golden->fd = -1;
}

/* BLAKE2b, not the SHA-256 of everything that is shown or signed: this digest meets only a damaged
 * disk, stands in the way of every launch, and takes half the time. */
static int digest(int fd, struct gl_hash *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) unsigned char *bytes = gl_alloc(CHUNK);
    crypto_generichash_state state;
    off_t at = 0;

    if (sodium_init() < 0 || crypto_generichash_init(&state, NULL, 0, sizeof out->bytes) != 0)
        return gl_fail(err, GL_E_INTERNAL, "no BLAKE2b");
    for (;;) {
        ssize_t got = pread(fd, bytes, CHUNK, at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read a snapshot");
        if (got == 0)
            break;
        crypto_generichash_update(&state, bytes, (unsigned long long)got);
        at += got;
    }
    crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
    return 0;
}

bool gl_golden_is_whole(const struct gl_golden *golden)
{
    struct gl_hash hash;
    struct gl_error ignored = {0};

    return digest(golden->fd, &hash, &ignored) == 0 && gl_hash_equal(&hash, &golden->hash);
}

/* ---- saving ---- */

/* QEMU writes into a pipe and we into the file: QEMU's own files are limited to the size of a
 * console log. Ends when QEMU closes its end. */
static int drain(int from, int to, uint64_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(CHUNK);
    int64_t end_ms = gl_local_clock_ms() + SAVE_MS;
    uint64_t length = 0;

    for (;;) {
        struct pollfd wait = {.fd = from, .events = POLLIN};
        int64_t left = end_ms - gl_local_clock_ms();
        ssize_t got;

        if (left <= 0 || length > SNAPSHOT_MAX)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU takes too long to write a snapshot");
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        got = read(from, bytes, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read a snapshot");
        if (got == 0)
            break;
        if (gl_fd_write(to, bytes, (size_t)got, err) < 0)
            return -1;
        length += (uint64_t)got;
    }
    *out_length = length;
    return 0;
}

/* 1 completed, 0 going on, -1 failed. */
static int migration_state(struct gl_qmp *qmp, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *status = NULL;
    const char *word;

    if (gl_qmp_command(qmp, "query-migrate", NULL, -1, &status, err) < 0)
        return -1;
    word = json_string_value(json_object_get(status, "status"));
    if (word != NULL && strcmp(word, "completed") == 0)
        return 1;
    if (word != NULL && (strcmp(word, "failed") == 0 || strcmp(word, "cancelled") == 0))
        return gl_fail(err, GL_E_LAUNCH, "QEMU could not write a snapshot");
    return 0;
}

static int wait_completed(struct gl_qmp *qmp, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + LOAD_MS;
    int got;

    while ((got = migration_state(qmp, err)) == 0) {
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU does not finish a snapshot");
        poll(NULL, 0, 5);
    }
    return got < 0 ? -1 : 0;
}

/* The guest is stopped; its state goes into fd. */
static int save_state(struct gl_qmp *qmp, int fd, uint64_t *out_length, struct gl_error *err)
{
    int ends[2], got;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot make a pipe");
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* fewer turns; fine when refused */
    got =
        gl_qmp_command(qmp, "migrate-set-parameters",
                       json_pack("{s:I}", "max-bandwidth", (json_int_t)10000000000), -1, NULL, err);
    if (got == 0)
        got = gl_qmp_command(qmp, "getfd", json_pack("{s:s}", "fdname", "snapshot"), ends[1], NULL,
                             err);
    if (got == 0)
        got =
            gl_qmp_command(qmp, "migrate", json_pack("{s:s}", "uri", "fd:snapshot"), -1, NULL, err);
    close(ends[1]);
    if (got == 0)
        got = drain(ends[0], fd, out_length, err);
    close(ends[0]);
    return got == 0 ? wait_completed(qmp, err) : got;
}

static int put_in_place(const char *state, const char *key, const char *temporary, int fd,
                        uint64_t length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = path_of(state, key, ".mig");
    GL_AUTO(gl_auto_free) char *companion = path_of(state, key, ".json");
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_hash hash;

    if (digest(fd, &hash, err) < 0 || (text = gl_golden_text(length, &hash, err)) == NULL ||
        gl_file_write(companion, text, strlen(text), 0600, err) < 0)
        return -1;
    if (rename(temporary, path) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot rename %s", temporary);
    return 0;
}

static int save(const char *state, const char *key, struct gl_qmp *qmp, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(state, "golden");
    GL_AUTO(gl_str_done) struct gl_str temporary = {0};
    GL_AUTO(gl_auto_close) int fd = -1;
    uint64_t length = 0;

    if (gl_dir_make(folder, err) < 0)
        return -1;
    gl_local_keep_youngest(folder, ".mig", KEPT - 1);
    gl_str_addf(&temporary, "%s/%s.%ld", folder, key, (long)getpid());
    fd = open(temporary.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", temporary.text);
    if (save_state(qmp, fd, &length, err) == 0 &&
        put_in_place(state, key, temporary.text, fd, length, err) == 0)
        return 0;
    unlink(temporary.text);
    return -1;
}

int gl_golden_make(const char *state, const char *key, struct gl_qmp *qmp, struct gl_error *err)
{
    struct gl_error ignored = {0};

    if (gl_qmp_command(qmp, "stop", NULL, -1, NULL, err) < 0)
        return -1;
    save(state, key, qmp, &ignored);
    return gl_qmp_command(qmp, "cont", NULL, -1, NULL, err);
}

/* `cont` during "inmigrate" would leave the guest paused for ever. */
int gl_golden_resume(struct gl_qmp *qmp, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + LOAD_MS;

    for (;;) {
        GL_AUTO(gl_auto_json) json_t *status = NULL;
        const char *word;

        if (gl_qmp_command(qmp, "query-status", NULL, -1, &status, err) < 0)
            return -1;
        word = json_string_value(json_object_get(status, "status"));
        if (word == NULL || strcmp(word, "inmigrate") != 0)
            break;
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU does not finish loading a snapshot");
        poll(NULL, 0, 5);
    }
    return gl_qmp_command(qmp, "cont", NULL, -1, NULL, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_machine.h"

#include "base/file.h"
#include "providers/cloud/local_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAX  ((uint64_t)16 << 30)
#define SAVE_MS    60000
#define LOAD_MS    30000
#define LIVE_MS    60000
#define PIPE_BYTES (1 << 20)
#define CHUNK      ((size_t)256 << 10)
#define BANDWIDTH  10000000000 /* bytes a second: no limit */
#define QUERY_MS   5

/* ---- the digest ---- */

/* BLAKE2b, not the SHA-256 of everything that is shown or signed: this digest meets only a damaged
 * disk, stands in the way of every launch, and takes half the time. */
static int digest_begin(crypto_generichash_state *state, struct gl_error *err)
{
    if (sodium_init() < 0 ||
        crypto_generichash_init(state, NULL, 0, sizeof(((struct gl_hash *)0)->bytes)) != 0)
        return gl_fail(err, GL_E_INTERNAL, "no BLAKE2b");
    return 0;
}

static int digest_file(int fd, struct gl_machine_seal *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) unsigned char *bytes = gl_alloc(CHUNK);
    crypto_generichash_state state;
    off_t at = 0;

    if (digest_begin(&state, err) < 0)
        return -1;
    for (;;) {
        ssize_t got = pread(fd, bytes, CHUNK, at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read a machine's state");
        if (got == 0)
            break;
        crypto_generichash_update(&state, bytes, (unsigned long long)got);
        at += got;
    }
    out->length = (uint64_t)at;
    crypto_generichash_final(&state, out->hash.bytes, sizeof out->hash.bytes);
    return 0;
}

bool gl_machine_is_whole(int fd, const struct gl_machine_seal *seal)
{
    struct gl_machine_seal found;
    struct gl_error ignored = {0};
    struct stat info;

    return fstat(fd, &info) == 0 && (uint64_t)info.st_size == seal->length &&
           digest_file(fd, &found, &ignored) == 0 && found.length == seal->length &&
           gl_hash_equal(&found.hash, &seal->hash);
}

/* ---- asking QEMU ---- */

static int set_bandwidth(struct gl_qmp *qmp, struct gl_error *err)
{
    return gl_qmp_command(qmp, "migrate-set-parameters",
                          json_pack("{s:I}", "max-bandwidth", (json_int_t)BANDWIDTH), -1, NULL,
                          err);
}

/* Hand QEMU a descriptor and let it write the machine's state there. */
static int begin_copy(struct gl_qmp *qmp, int fd, struct gl_error *err)
{
    if (set_bandwidth(qmp, err) < 0 ||
        gl_qmp_command(qmp, "getfd", json_pack("{s:s}", "fdname", "state"), fd, NULL, err) < 0)
        return -1;
    return gl_qmp_command(qmp, "migrate", json_pack("{s:s}", "uri", "fd:state"), -1, NULL, err);
}

enum copying { COPY_NONE, COPY_ACTIVE, COPY_COMPLETED, COPY_FAILED };

static int copying_of(struct gl_qmp *qmp, enum copying *out, struct gl_error *err)
{
    static const struct {
        const char *word;
        enum copying state;
    } words[] = {{"none", COPY_NONE},
                 {"completed", COPY_COMPLETED},
                 {"failed", COPY_FAILED},
                 {"cancelled", COPY_FAILED}};
    GL_AUTO(gl_auto_json) json_t *reply = NULL;
    const char *word;

    if (gl_qmp_command(qmp, "query-migrate", NULL, -1, &reply, err) < 0)
        return -1;
    word = json_string_value(json_object_get(reply, "status"));
    *out = word == NULL ? COPY_NONE : COPY_ACTIVE;
    for (size_t i = 0; word != NULL && i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0)
            *out = words[i].state;
    return 0;
}

static int await_copied(struct gl_qmp *qmp, int64_t limit_ms, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + limit_ms;
    enum copying state;

    for (;;) {
        if (copying_of(qmp, &state, err) < 0)
            return -1;
        if (state == COPY_COMPLETED)
            return 0;
        if (state != COPY_ACTIVE)
            return gl_fail(err, GL_E_LAUNCH, "QEMU could not write the machine's state");
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU takes too long to write the machine's state");
        poll(NULL, 0, QUERY_MS);
    }
}

/* Until QEMU writes nothing any more; what it says is of no interest. */
static void give_up_copying(struct gl_qmp *qmp)
{
    int64_t end_ms = gl_local_clock_ms() + LOAD_MS;
    struct gl_error ignored = {0};
    enum copying state = COPY_ACTIVE;

    while (copying_of(qmp, &state, &ignored) == 0 && state == COPY_ACTIVE &&
           gl_local_clock_ms() < end_ms) {
        gl_qmp_command(qmp, "migrate_cancel", NULL, -1, NULL, &ignored);
        poll(NULL, 0, QUERY_MS);
    }
}

int gl_machine_status(struct gl_qmp *qmp, char out[GL_MACHINE_WORD], struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *reply = NULL;
    const char *word;

    if (gl_qmp_command(qmp, "query-status", NULL, -1, &reply, err) < 0)
        return -1;
    word = json_string_value(json_object_get(reply, "status"));
    snprintf(out, GL_MACHINE_WORD, "%s", word != NULL ? word : "");
    return 0;
}

int gl_machine_await_loaded(struct gl_qmp *qmp, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + LOAD_MS;
    char word[GL_MACHINE_WORD];

    for (;;) {
        if (gl_machine_status(qmp, word, err) < 0)
            return -1;
        if (strcmp(word, "inmigrate") != 0)
            return 0;
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU does not finish loading a machine's state");
        poll(NULL, 0, QUERY_MS);
    }
}

int gl_machine_stop(struct gl_qmp *qmp, struct gl_error *err)
{
    return gl_qmp_command(qmp, "stop", NULL, -1, NULL, err);
}

/* `cont` during "inmigrate" would leave the guest paused for ever. */
int gl_machine_continue(struct gl_qmp *qmp, struct gl_error *err)
{
    if (gl_machine_await_loaded(qmp, err) < 0)
        return -1;
    give_up_copying(qmp);
    return gl_qmp_command(qmp, "cont", NULL, -1, NULL, err);
}

/* ---- out of QEMU ---- */

/* To another QEMU, which may be slow, or gone. */
static int pass_on(int to, const unsigned char *bytes, size_t length, struct gl_error *err)
{
    while (length > 0) {
        struct pollfd wait = {.fd = to, .events = POLLOUT};
        ssize_t sent = send(to, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EAGAIN && poll(&wait, 1, LOAD_MS) == 0)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU takes nothing of a machine's state");
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return gl_fail_sys(err, GL_E_LAUNCH, errno, "QEMU takes no more of a machine's state");
        bytes += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

/* What QEMU writes into a pipe goes into the file. Ends when QEMU closes its end. */
static int drain(int from, int to, int also, struct gl_machine_seal *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) unsigned char *bytes = gl_alloc(CHUNK);
    int64_t end_ms = gl_local_clock_ms() + SAVE_MS;
    crypto_generichash_state state;
    uint64_t length = 0;

    if (digest_begin(&state, err) < 0)
        return -1;
    for (;;) {
        struct pollfd wait = {.fd = from, .events = POLLIN};
        int64_t left = end_ms - gl_local_clock_ms();
        ssize_t got;

        if (left <= 0 || length > STATE_MAX)
            return gl_fail(err, GL_E_TIMEOUT, "QEMU takes too long to write a machine's state");
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        got = read(from, bytes, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read a machine's state");
        if (got == 0)
            break;
        crypto_generichash_update(&state, bytes, (unsigned long long)got);
        if (gl_fd_write(to, bytes, (size_t)got, err) < 0 ||
            (also >= 0 && pass_on(also, bytes, (size_t)got, err) < 0))
            return -1;
        length += (uint64_t)got;
    }
    out->length = length;
    crypto_generichash_final(&state, out->hash.bytes, sizeof out->hash.bytes);
    return 0;
}

int gl_machine_save(struct gl_qmp *qmp, int fd, int also, struct gl_machine_seal *out,
                    struct gl_error *err)
{
    struct gl_machine_seal seal;
    int ends[2], got;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot make a pipe");
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* fewer turns; fine when refused */
    got = begin_copy(qmp, ends[1], err);
    close(ends[1]);
    if (got == 0)
        got = drain(ends[0], fd, also, &seal, err);
    close(ends[0]);
    if (got == 0)
        got = await_copied(qmp, LOAD_MS, err);
    if (got < 0) {
        give_up_copying(qmp);
        return -1;
    }
    *out = seal;
    return 0;
}

int gl_machine_send_live(struct gl_qmp *qmp, int socket_fd, struct gl_error *err)
{
    int got = begin_copy(qmp, socket_fd, err);

    if (got == 0)
        got = await_copied(qmp, LIVE_MS, err);
    if (got < 0)
        give_up_copying(qmp);
    return got;
}

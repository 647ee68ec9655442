/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_S     60
#define ANSWER_MS  30000
#define TAIL_BYTES 400       /* shown */
#define LOOK_BYTES (1 << 16) /* looked at: lines for programs are long */
#define CHUNK      ((size_t)60 << 10)

int64_t gl_local_boot_ms(const struct gl_world *world)
{
    const char *text = world->getenv(world->cookie, "GREENLAUNCH_BOOT_TIMEOUT");
    long seconds = text != NULL ? strtol(text, NULL, 10) : 0;

    return (seconds >= 1 && seconds <= 3600 ? seconds : BOOT_S) * 1000;
}

/* "GLM1 {...}": readings and the like, for programs. */
static bool is_machine_line(const char *line, size_t length)
{
    return length > 5 && line[0] == 'G' && line[1] == 'L' && line[3] == '1' && line[4] == ' ';
}

/* What people can read of a log's end, its lines joined. */
static void join_lines(const char *bytes, size_t length, struct gl_str *out)
{
    for (size_t at = 0, line; at < length; at += line + 1) {
        const char *end = memchr(bytes + at, '\n', length - at);

        line = end != NULL ? (size_t)(end - bytes) - at : length - at;
        if (line == 0 || bytes[at] == '\r' || is_machine_line(bytes + at, line))
            continue;
        gl_str_add(out, out->length > 0 ? " " : "");
        gl_str_add_bytes(out, bytes + at, line - (bytes[at + line - 1] == '\r'));
    }
}

void gl_local_add_tail(const char *folder, const char *log, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, log);
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(LOOK_BYTES);
    GL_AUTO(gl_str_done) struct gl_str lines = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    size_t used = strlen(err->text), skip;
    const char *whole = bytes;
    struct stat info;
    ssize_t got;

    if (fd < 0 || fstat(fd, &info) < 0)
        return;
    got = pread(fd, bytes, LOOK_BYTES, info.st_size > LOOK_BYTES ? info.st_size - LOOK_BYTES : 0);
    if (got > 0 && info.st_size > LOOK_BYTES)
        whole = memchr(bytes, '\n', (size_t)got);
    if (got <= 0 || whole == NULL)
        return;
    join_lines(whole, (size_t)got - (size_t)(whole - bytes), &lines);
    if (lines.length == 0)
        return;
    skip = lines.length > TAIL_BYTES ? lines.length - TAIL_BYTES : 0;
    gl_str_add_printable(&text, lines.text + skip, lines.length - skip);
    snprintf(err->text + used, sizeof err->text - used, "; the end of it: %s", text.text);
}

/* The next hello, if one has come; malformed ones are no sign of life. */
static bool take_hello(struct gl_link *link, struct gl_guest_hello *out)
{
    struct gl_frame frame;
    struct gl_error ignored = {0};
    bool has_one = false;

    while (gl_link_next(link, &frame))
        if (frame.type == 'H' &&
            gl_guest_hello_parse(frame.payload, frame.length, out, &ignored) == 0)
            has_one = true;
    return has_one;
}

static int silent(const struct gl_local_start *start, int64_t limit_ms, struct gl_error *err)
{
    gl_fail(err, GL_E_GUEST, "the guest does not answer within %lld s; its console is %s/%s",
            (long long)(limit_ms / 1000), start->folder, GL_LOCAL_CONSOLE);
    gl_local_add_tail(start->folder, GL_LOCAL_CONSOLE, err);
    return -1;
}

static int ended(const struct gl_local_start *start, struct gl_error *err)
{
    gl_fail(err, GL_E_LAUNCH, "%s ended instead of starting the guest; its log is %s/%s",
            start->record->how, start->folder, GL_LOCAL_QEMU_LOG);
    gl_local_add_tail(start->folder, GL_LOCAL_QEMU_LOG, err);
    return -1;
}

bool gl_local_is_cancelled(const struct gl_local_start *start)
{
    return start->launch->is_cancelled != NULL &&
           start->launch->is_cancelled(start->launch->cookie);
}

/* Wait for a hello whose state `is_wanted`. */
static int wait_state(struct gl_local_start *start, int64_t limit_ms,
                      bool (*is_wanted)(const struct gl_guest_hello *hello), struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + limit_ms;
    struct gl_guest_hello hello;

    for (;;) {
        gl_link_wait(start->link, -1, 50, NULL);
        if (take_hello(start->link, &hello) && is_wanted(&hello))
            return 0;
        if (start->link->is_closed || !gl_process_is_alive(&start->record->process))
            return ended(start, err);
        if (gl_local_is_cancelled(start))
            return gl_fail(err, GL_E_INTERRUPTED, "it was ended while it was starting");
        if (gl_local_clock_ms() > end_ms)
            return silent(start, limit_ms, err);
    }
}

static bool is_any(const struct gl_guest_hello *hello)
{
    return hello->state[0] != '\0';
}

static bool is_configured(const struct gl_guest_hello *hello)
{
    return strcmp(hello->state, "waiting") != 0;
}

int gl_local_wait_hello(struct gl_local_start *start, bool asks, int64_t limit_ms,
                        struct gl_error *err)
{
    if (asks && gl_link_put(start->link, 'W', NULL, 0, err) < 0)
        return -1;
    return wait_state(start, limit_ms, is_any, err);
}

static int send_config(struct gl_local_start *start, const struct gl_guest_place *place,
                       struct gl_error *err)
{
    char *text = gl_guest_config_text(start->launch, place, start->local->world, err);
    int got;

    if (text == NULL)
        return -1;
    got = gl_link_put(start->link, 'C', text, strlen(text), err);
    gl_wipe(text, strlen(text));
    free(text);
    if (got < 0 || gl_link_flush(start->link, ANSWER_MS, err) < 0)
        return -1;
    gl_wipe(start->link->out.text, start->link->out.capacity);
    return gl_link_put(start->link, 'W', NULL, 0, err);
}

static int send_payload(struct gl_local_start *start, int fd, struct gl_error *err)
{
    char bytes[CHUNK];

    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read the files for the guest");
        if (got == 0)
            return 0;
        if (gl_link_put(start->link, 'P', bytes, (size_t)got, err) < 0 ||
            gl_link_flush(start->link, ANSWER_MS, err) < 0)
            return -1;
    }
}

/* The record says RUNNING before 'G' is sent: while it says LAUNCHING, no command can have run.
 * Not asked 'W' afterwards: the output is for whoever attaches. */
static int send_go(struct gl_local_start *start, struct gl_error *err)
{
    int64_t boot_ms = gl_local_cpu_ms(start->record, &start->record->process);

    start->record->cpu_boot_ms = boot_ms > 0 ? boot_ms : 0;
    start->record->state = GL_STATE_RUNNING;
    if (gl_local_record_save(start->folder, start->record, err) < 0 ||
        gl_link_put(start->link, 'G', NULL, 0, err) < 0 ||
        gl_link_flush(start->link, ANSWER_MS, err) < 0)
        return -1;
    return gl_link_part(start->link, ANSWER_MS, err);
}

int gl_local_configure(struct gl_local_start *start, const struct gl_guest_place *place,
                       int payload_fd, struct gl_error *err)
{
    if (send_config(start, place, err) < 0 ||
        wait_state(start, ANSWER_MS, is_configured, err) < 0 ||
        (payload_fd >= 0 && send_payload(start, payload_fd, err) < 0))
        return -1;
    return send_go(start, err);
}

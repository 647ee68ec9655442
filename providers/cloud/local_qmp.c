/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_qmp.h"

#include "providers/cloud/local_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)
#define REPLY_MS       10000

void gl_qmp_message_done(struct gl_qmp_message *message)
{
    json_decref(message->body);
    message->body = NULL;
}

static int parse_object(const json_t *object, struct gl_qmp_message *out, struct gl_error *err)
{
    const json_t *id = json_object_get(object, "id");
    const char *text = "";
    json_t *part;

    out->id = json_is_integer(id) ? (int64_t)json_integer_value(id) : -1;
    if ((part = json_object_get(object, "return")) != NULL) {
        out->kind = GL_QMP_RETURN;
        out->body = json_incref(part);
    } else if ((part = json_object_get(object, "error")) != NULL) {
        out->kind = GL_QMP_ERROR;
        text = json_string_value(json_object_get(part, "desc"));
    } else if ((part = json_object_get(object, "event")) != NULL) {
        out->kind = GL_QMP_EVENT;
        text = json_string_value(part);
    } else if (json_is_object(json_object_get(object, "QMP"))) {
        out->kind = GL_QMP_GREETING;
    } else {
        return gl_fail(err, GL_E_BAD_REPLY, "QEMU sent a line that is no QMP message");
    }
    snprintf(out->text, sizeof out->text, "%s", text != NULL ? text : "");
    return 0;
}

int gl_qmp_parse(const char *line, size_t length, struct gl_qmp_message *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = gl_json_parse(line, length, "QMP", err);
    struct gl_qmp_message message = {.id = -1};

    if (object == NULL)
        return -1;
    if (!json_is_object(object))
        return gl_fail(err, GL_E_BAD_REPLY, "QEMU sent a line that is no QMP message");
    if (parse_object(object, &message, err) < 0)
        return -1;
    *out = message;
    return 0;
}

/* ---- lines ---- */

/* A whole line among what was read: its length (newline excluded) from in_at on, or -1. */
static ssize_t whole_line(const struct gl_qmp *qmp)
{
    const char *start, *end;

    if (qmp->in.length == qmp->in_at)
        return -1;
    start = qmp->in.text + qmp->in_at;
    end = memchr(start, '\n', qmp->in.length - qmp->in_at);
    return end != NULL ? end - start : -1;
}

static void forget_used(struct gl_qmp *qmp)
{
    size_t left = qmp->in.length - qmp->in_at;

    if (qmp->in_at > 0)
        memmove(qmp->in.text, qmp->in.text + qmp->in_at, left);
    qmp->in.length = left;
    qmp->in_at = 0;
}

static int read_more(struct gl_qmp *qmp, int64_t end_ms, struct gl_error *err)
{
    struct pollfd wait = {.fd = qmp->fd, .events = POLLIN};
    int64_t left = end_ms - gl_local_clock_ms();
    char bytes[16384];
    ssize_t got;

    if (left <= 0)
        return gl_fail(err, GL_E_TIMEOUT, "QEMU does not answer on its QMP socket");
    poll(&wait, 1, (int)left);
    got = read(qmp->fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return gl_fail(err, GL_E_LAUNCH, "QEMU closed its QMP socket");
    if (qmp->in.length + (size_t)got > LINE_MAX_BYTES)
        return gl_fail(err, GL_E_BAD_REPLY, "QEMU sent a line of more than 1 MiB");
    gl_str_add_bytes(&qmp->in, bytes, (size_t)got);
    return 0;
}

/* The next message that is no event. */
static int next_message(struct gl_qmp *qmp, int64_t end_ms, struct gl_qmp_message *out,
                        struct gl_error *err)
{
    for (;;) {
        ssize_t length = whole_line(qmp);

        if (length < 0) {
            forget_used(qmp);
            if (read_more(qmp, end_ms, err) < 0)
                return -1;
            continue;
        }
        if (gl_qmp_parse(qmp->in.text + qmp->in_at, (size_t)length, out, err) < 0)
            return -1;
        qmp->in_at += (size_t)length + 1;
        if (out->kind != GL_QMP_EVENT)
            return 0;
    }
}

/* ---- requests ---- */

static int send_line(const struct gl_qmp *qmp, char *text, int pass_fd, struct gl_error *err)
{
    struct iovec part = {.iov_base = text, .iov_len = strlen(text)};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct cmsghdr *head;

    if (pass_fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &pass_fd, sizeof pass_fd);
    }
    /* Requests are far smaller than a socket's buffer: a short write means a broken peer. */
    if (sendmsg(qmp->fd, &message, MSG_NOSIGNAL) != (ssize_t)part.iov_len)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write to QEMU's QMP socket");
    return 0;
}

static int send_request(const struct gl_qmp *qmp, const char *name, json_t *arguments, int pass_fd,
                        struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *request = json_pack("{s:s s:I s:o*}", "execute", name, "id", (json_int_t)qmp->next_id,
                                "arguments", arguments);
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (request == NULL)
        return gl_fail(err, GL_E_INTERNAL, "cannot build the QMP request %s", name);
    text = gl_json_canonical(request, err);
    if (text == NULL)
        return -1;
    gl_str_addf(&line, "%s\n", text);
    return send_line(qmp, line.text, pass_fd, err);
}

int gl_qmp_command(struct gl_qmp *qmp, const char *name, json_t *arguments, int pass_fd,
                   json_t **out_return, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + REPLY_MS, id = ++qmp->next_id;
    struct gl_qmp_message reply;

    if (send_request(qmp, name, arguments, pass_fd, err) < 0)
        return -1;
    do {
        if (next_message(qmp, end_ms, &reply, err) < 0)
            return gl_wrap(err, "%s", name);
        if (reply.kind == GL_QMP_ERROR)
            return gl_fail(err, GL_E_LAUNCH, "QEMU refuses %s: %s", name, reply.text);
        if (reply.id != id)
            gl_qmp_message_done(&reply);
    } while (reply.id != id);
    if (out_return != NULL)
        *out_return = json_incref(reply.body);
    gl_qmp_message_done(&reply);
    return 0;
}

static int greet(struct gl_qmp *qmp, int64_t end_ms, struct gl_error *err)
{
    struct gl_qmp_message greeting;

    if (next_message(qmp, end_ms, &greeting, err) < 0)
        return -1;
    gl_qmp_message_done(&greeting);
    if (greeting.kind != GL_QMP_GREETING)
        return gl_fail(err, GL_E_BAD_REPLY, "QEMU does not greet on its QMP socket");
    return gl_qmp_command(qmp, "qmp_capabilities", NULL, -1, NULL, err);
}

int gl_qmp_open(struct gl_qmp *qmp, const char *folder, const char *name, int64_t timeout_ms,
                struct gl_error *err)
{
    int fd = gl_local_connect(folder, name, err);

    if (fd < 0)
        return -1;
    *qmp = (struct gl_qmp){.fd = fd, .in = {.ceiling = LINE_MAX_BYTES + 1}};
    if (greet(qmp, gl_local_clock_ms() + timeout_ms, err) == 0)
        return 0;
    gl_qmp_close(qmp);
    return -1;
}

void gl_qmp_close(struct gl_qmp *qmp)
{
    if (qmp->fd > 0)
        close(qmp->fd);
    qmp->fd = -1;
    gl_str_done(&qmp->in);
}

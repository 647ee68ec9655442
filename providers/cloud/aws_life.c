/* SPDX-License-Identifier: Apache-2.0 */
/* Instances after their launch: looking, finding, ending, halting, reading the console.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
#include "providers/cloud/aws_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS_OF_NEW   3      /* at an id that EC2 may not know of yet */
#define CHANGE_WAIT_MS 240000 /* for a machine to power off */

/* ---- describe ---- */

static int look(struct gl_aws *aws, const char *region, const char *native, struct gl_instance *out,
                struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    struct gl_aws_instances found = {0};
    char next[1024];
    int got = -1;

    gl_aws_query(aws, &call, "ec2", region, "DescribeInstances");
    gl_aws_add(&call, native, "InstanceId.1");
    if (gl_remote_send(&aws->remote, &call, err) < 0)
        return -1;
    if (gl_aws_read_instances(&call.reply, region, &found, next, err) < 0)
        gl_wrap(err, "aws in %s", region);
    else if (found.count != 1)
        gl_fail(err, GL_E_NOT_FOUND, "aws in %s: %s is not there, or not of greenlaunch", region,
                native);
    else {
        *out = found.items[0];
        got = 0;
    }
    free(found.items);
    return got;
}

int gl_aws_look(struct gl_aws *aws, const char *id, struct gl_instance *out, struct gl_error *err)
{
    const char *native;
    char region[40];

    return gl_aws_split(id, "i-", region, &native, err) < 0 ? -1
                                                            : look(aws, region, native, out, err);
}

int gl_aws_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_error why = {0};
    const char *native;
    char region[40];

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    /* EC2 learns of its own instances with a delay: a fresh one may not be known yet. */
    for (unsigned tries = 1; look(aws, region, native, out, &why) < 0; tries++) {
        if (why.code != GL_E_NOT_FOUND || tries >= LOOKS_OF_NEW || !gl_aws_wait(aws, tries, err))
            return gl_fail(err, why.code, "%s", why.text);
        gl_error_clear(&why);
    }
    return 0;
}

/* ---- lists ---- */

/* What is asked of every region. */
struct wanted {
    const char *token; /* NULL = all of ours */
    bool is_by_client_token;
};

static void make_list(struct gl_aws *aws, struct gl_remote_call *call, const char *region,
                      const struct wanted *wanted, const char *next)
{
    char half[GL_HASH_HEX];

    gl_aws_query(aws, call, "ec2", region, "DescribeInstances");
    if (wanted->token == NULL) {
        gl_aws_filter(call, 1, "tag-key", "greenlaunch-request");
    } else if (wanted->is_by_client_token) {
        gl_aws_filter(call, 1, "client-token", wanted->token);
    } else {
        snprintf(half, sizeof half, "%.32s", wanted->token);
        gl_aws_filter(call, 1, "tag:greenlaunch-token-a", half);
        snprintf(half, sizeof half, "%s", strlen(wanted->token) > 32 ? wanted->token + 32 : "");
        gl_aws_filter(call, 2, "tag:greenlaunch-token-b", half);
    }
    gl_aws_add(call, "500", "MaxResults");
    gl_aws_add(call, next[0] != '\0' ? next : NULL, "NextToken");
}

/* One page of every region that has one more; `next` is NULL for one that is through. */
static int read_page(const struct gl_remote_call *call, const char *region,
                     struct gl_aws_instances *list, char **next, struct gl_error *err)
{
    char token[1024] = "";

    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    if (gl_aws_read_instances(&call->reply, region, list, token, err) < 0)
        return gl_wrap(err, "aws in %s", region);
    free(*next);
    *next = token[0] != '\0' ? gl_strdup(token) : NULL;
    return 0;
}

/* What does not fit is cut with dots: that there is more is not kept back. */
static void note_unseen(char unseen[256], const char *region)
{
    size_t length = strlen(unseen), room = sizeof((struct gl_cloud *)0)->unseen - length;

    if (room <= strlen(region) + sizeof ", ...")
        snprintf(unseen + length, room, "%s", strstr(unseen, "...") == NULL ? ", ..." : "");
    else
        snprintf(unseen + length, room, "%s%s", length > 0 ? ", " : "", region);
}

/* Where nothing may be looked at (a policy of the organization) nothing of ours was launched with
 * these rights; with others it may have been, so that it is named. */
static int read_round(struct gl_remote_call *calls, const size_t *which, size_t count,
                      const char *const *regions, struct gl_aws_instances *list, char **next,
                      char unseen[256], struct gl_error *err)
{
    size_t refused = 0;
    int result = 0;

    for (size_t i = 0; i < count; i++)
        refused += calls[i].err.code == GL_E_PERMISSION;
    for (size_t i = 0; i < count; i++) {
        if (calls[i].err.code == GL_E_PERMISSION && refused < count) {
            free(next[which[i]]);
            next[which[i]] = NULL;
            note_unseen(unseen, regions[which[i]]);
        } else if (read_page(&calls[i], regions[which[i]], list, &next[which[i]], err) < 0)
            result = -1;
    }
    return result;
}

/* One page of all that have more, at once; the number asked, -1. */
static int ask_round(struct gl_aws *aws, const char *const *regions, size_t region_count,
                     const struct wanted *wanted, struct gl_aws_instances *list, char **next,
                     struct gl_error *err)
{
    struct gl_remote_call *calls = gl_alloc(region_count * sizeof *calls);
    size_t *which = gl_alloc(region_count * sizeof *which), count = 0;
    int result;

    for (size_t i = 0; i < region_count; i++)
        if (next[i] != NULL) {
            make_list(aws, &calls[count], regions[i], wanted, next[i]);
            which[count++] = i;
        }
    gl_remote_send_all(&aws->remote, calls, count);
    result = read_round(calls, which, count, regions, list, next, aws->remote.cloud.unseen, err);
    for (size_t i = 0; i < count; i++)
        gl_remote_call_done(&calls[i]);
    free(calls);
    free(which);
    return result < 0 ? -1 : (int)count;
}

/* Page by page until every region is through. */
static int ask_all(struct gl_aws *aws, const char *const *regions, const struct wanted *wanted,
                   struct gl_aws_instances *list, struct gl_error *err)
{
    size_t count = 0;
    unsigned rounds = 0;
    char **next;
    int asked = 1;

    while (regions[count] != NULL)
        count++;
    next = gl_alloc((count + 1) * sizeof *next);
    for (size_t i = 0; i < count; i++)
        next[i] = gl_strdup("");
    for (bool is_open = count > 0; is_open && asked > 0;) {
        asked = rounds++ >= GL_AWS_PAGES_MAX
                    ? gl_fail(err, GL_E_TOO_LARGE, "aws: its pages of instances do not end")
                    : ask_round(aws, regions, count, wanted, list, next, err);
        is_open = false;
        for (size_t i = 0; i < count; i++)
            is_open |= next[i] != NULL;
    }
    for (size_t i = 0; i < count; i++)
        free(next[i]);
    free(next);
    return asked < 0 ? -1 : 0;
}

int gl_aws_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    const struct wanted all = {0};
    struct gl_aws_instances list = {0};
    const char *const *regions;

    if (cloud->ops->regions(cloud, &regions, err) < 0)
        return -1;
    cloud->unseen[0] = '\0';
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    if (ask_all(aws, regions, &all, &list, err) < 0) {
        free(list.items);
        return -1;
    }
    *out = list.items != NULL ? list.items : gl_alloc(sizeof *list.items);
    *out_count = list.count;
    return 0;
}

/* ---- find ---- */

/* By its tags, then by the token itself: 1, 0 or -1. */
static int look_for(struct gl_aws *aws, const char *const *regions, const char *token,
                    struct gl_instance *out, struct gl_error *err)
{
    int got = 0;

    for (unsigned way = 0; way < 2 && got == 0; way++) {
        const struct wanted wanted = {token, way == 1};
        struct gl_aws_instances list = {0};
        const struct gl_instance *found;

        got = ask_all(aws, regions, &wanted, &list, err);
        found = got == 0 ? gl_instance_of_token(list.items, list.count, token) : NULL;
        if (found != NULL) {
            *out = *found;
            got = 1;
        }
        free(list.items);
    }
    return got;
}

/* How long a launch may take to show up in lists. */
static int64_t settle_ms(const struct gl_aws *aws)
{
    const char *text = aws->settings[GL_AWS_SETTLE];
    long seconds = text != NULL ? strtol(text, NULL, 10) : 15;

    return seconds >= 0 && seconds <= 300 ? seconds * 1000 : 15000;
}

int gl_aws_find(struct gl_cloud *cloud, const char *region, const char *token,
                struct gl_instance *out, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    const char *const one[] = {region, NULL}, *const *regions = one;
    const struct gl_world *world = aws->remote.world;
    int64_t until = world->monotonic_ms(world->cookie) + settle_ms(aws);
    int got;

    if (region == NULL && cloud->ops->regions(cloud, &regions, err) < 0)
        return -1;
    if (region != NULL && gl_aws_check_region(aws, region, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS + settle_ms(aws));
    for (unsigned tries = 1;; tries++) {
        got = look_for(aws, regions, token, out, err);
        /* Everywhere is asked by somebody who has lost the ledger: nothing is under way. */
        if (got != 0 || region == NULL || world->monotonic_ms(world->cookie) >= until)
            return got;
        if (!gl_aws_wait(aws, tries, err))
            return -1;
    }
}

/* ---- ending ---- */

static int act(struct gl_aws *aws, const char *action, const char *region, const char *native,
               struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};

    gl_aws_query(aws, &call, "ec2", region, action);
    gl_aws_add(&call, native, "InstanceId.1");
    return gl_remote_send(&aws->remote, &call, err);
}

int gl_aws_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    const char *native;
    char region[40];

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    return act(aws, "TerminateInstances", region, native, err);
}

/* Look until it is in `state` or over: 0; -1 with TIMEOUT when the time is up. */
static int await(struct gl_aws *aws, const char *region, const char *native,
                 enum gl_instance_state state, struct gl_error *err)
{
    struct gl_instance seen;

    for (unsigned tries = 1;; tries++) {
        if (look(aws, region, native, &seen, err) < 0)
            return -1;
        if (seen.state == state || seen.state == GL_STATE_ENDED)
            return 0;
        if (!gl_aws_wait(aws, tries, err))
            return -1;
    }
}

/* TerminateInstances lets the guest shut down first: the meter writes its last reading then. */
int gl_aws_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_error why = {0};
    const char *native;
    char region[40];

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    if (act(aws, "TerminateInstances", region, native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, wait.s > 0 ? wait.s * 1000 : 1);
    /* It ends in any case; what is wrong with looking at it is no failure of the end. */
    if (await(aws, region, native, GL_STATE_ENDED, &why) < 0 && why.code == GL_E_INTERRUPTED)
        return gl_fail(err, why.code, "%s", why.text);
    return 0;
}

int gl_aws_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    const char *native;
    char region[40];

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, CHANGE_WAIT_MS);
    if (act(aws, "StopInstances", region, native, err) < 0)
        return -1;
    return await(aws, region, native, GL_STATE_HALTED, err);
}

int gl_aws_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    const char *native;
    char region[40];

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, CHANGE_WAIT_MS);
    if (act(aws, "StartInstances", region, native, err) < 0)
        return -1;
    return await(aws, region, native, GL_STATE_RUNNING, err);
}

/* ---- console ---- */

static struct gl_aws_console *console_of(struct gl_aws *aws, const char *id)
{
    struct gl_aws_console *made;

    for (size_t i = 0; i < aws->console_count; i++)
        if (strcmp(aws->consoles[i].id, id) == 0)
            return &aws->consoles[i];
    aws->consoles = gl_realloc(aws->consoles, (aws->console_count + 1) * sizeof *aws->consoles);
    made = &aws->consoles[aws->console_count++];
    *made = (struct gl_aws_console){.window = {.ceiling = 2 * GL_AWS_CONSOLE}};
    snprintf(made->id, sizeof made->id, "%s", id);
    return made;
}

/* Base64, which may come in lines. */
static int decode(const char *coded, struct gl_str *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(strlen(coded) + 4);
    struct gl_str plain = {.ceiling = 4 * GL_AWS_CONSOLE};
    size_t length = 0;
    int got;

    for (const char *at = coded; *at != '\0'; at++)
        if (strchr(" \t\r\n", *at) == NULL)
            gl_str_add_char(&plain, *at);
    got = plain.is_cut
              ? gl_fail(err, GL_E_TOO_LARGE, "it is too long")
              : gl_base64_parse(gl_str_text(&plain), bytes, strlen(coded) + 3, &length, err);
    if (got == 0)
        gl_str_add_bytes(out, bytes, length);
    gl_str_done(&plain);
    return got;
}

/* Nitro machines show the console as it is now, others as of their last change of state. */
static int fetch(struct gl_aws *aws, const char *region, const char *native, struct gl_str *out,
                 struct gl_error *err)
{
    struct gl_error why = {0};
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const char *coded;

    for (unsigned latest = 1; doc == NULL; latest--) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};

        gl_aws_query(aws, &call, "ec2", region, "GetConsoleOutput");
        gl_aws_add(&call, native, "InstanceId");
        gl_aws_add(&call, latest == 1 ? "true" : NULL, "Latest");
        gl_error_clear(&why);
        doc = gl_aws_ask(aws, &call, &why);
        if (doc == NULL && (latest == 0 || why.code != GL_E_LAUNCH))
            return gl_fail(err, why.code, "%s", why.text);
    }
    coded = gl_xml_text(gl_xml_root(doc), "output");
    if (coded != NULL && decode(coded, out, err) < 0)
        return gl_wrap(err, "aws in %s: console", region);
    return 0;
}

/* Where in `now` the text goes on behind all that `before` held: the offset, or 0 when they do not
 * overlap (more came than EC2 keeps). */
static size_t overlap(const struct gl_str *before, const struct gl_str *now)
{
    size_t tail = before->length < 256 ? before->length : 256;
    const char *mark = gl_str_text(before) + before->length - tail, *found = NULL;
    const char *text = gl_str_text(now), *at = text;

    /* The last place where it occurs: a console that repeats itself is rather cut than doubled. */
    while (tail > 0 && (at = memmem(at, now->length - (size_t)(at - text), mark, tail)) != NULL)
        found = at++;
    return found != NULL ? (size_t)(found - text) + tail : 0;
}

/* EC2 keeps the last 64 KiB and does not say how much went before: offsets count what this handle
 * has handed out. While no more than that was written they are exact in every process; afterwards
 * another process gets the window once more, as readings are numbered and signed. */
int gl_aws_console_read(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                        uint64_t *out_next, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_str now = {.ceiling = 4 * GL_AWS_CONSOLE};
    struct gl_aws_console *kept;
    const char *native;
    char region[40];
    size_t from;

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    if (fetch(aws, region, native, &now, err) < 0) {
        gl_str_done(&now);
        return -1;
    }
    kept = console_of(aws, id);
    if (now.length < GL_AWS_CONSOLE && offset <= now.length)
        from = (size_t)offset;
    else
        from = kept->next == offset ? overlap(&kept->window, &now) : 0;
    gl_str_add_bytes(out, gl_str_text(&now) + from, now.length - from);
    *out_next = offset + (now.length - from);
    kept->next = *out_next;
    gl_str_done(&kept->window);
    kept->window = now;
    return 0;
}

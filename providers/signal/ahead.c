/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/ahead.h"

#include <stdlib.h>
#include <string.h>

struct row {
    struct row *next;
    const char *source;
    char *url;
    struct gl_http_exchange exchange; /* reply, err and is_done once it is back */
    bool is_back, is_taken;
};

struct gl_ahead {
    struct gl_http_batch *batch;
    struct row *rows;
    struct row *chosen;
};

struct gl_ahead *gl_ahead_new(struct gl_http *http)
{
    struct gl_ahead *ahead = gl_alloc(sizeof *ahead);

    ahead->batch = gl_http_batch_new(http);
    return ahead;
}

void gl_ahead_add(struct gl_ahead *ahead, const char *source, const char *url,
                  const struct gl_http_request *request)
{
    struct row *row = gl_alloc(sizeof *row);

    row->source = source;
    row->url = gl_strdup(url);
    row->next = ahead->rows;
    ahead->rows = row;
    gl_http_batch_add(ahead->batch, request, row);
}

static struct row *find(const struct gl_ahead *ahead, const char *source, const char *url)
{
    struct row *row = ahead != NULL ? ahead->rows : NULL;

    while (row != NULL && (strcmp(row->source, source) != 0 || strcmp(row->url, url) != 0))
        row = row->next;
    return row;
}

bool gl_ahead_has(const struct gl_ahead *ahead, const char *source, const char *url)
{
    return find(ahead, source, url) != NULL;
}

bool gl_ahead_choose(struct gl_ahead *ahead, const char *source, const char *url)
{
    struct row *row = find(ahead, source, url);

    if (ahead == NULL)
        return false;
    ahead->chosen = row != NULL && !row->is_taken ? row : NULL;
    return ahead->chosen != NULL;
}

bool gl_ahead_is_chosen(const struct gl_ahead *ahead)
{
    return ahead != NULL && ahead->chosen != NULL;
}

/* One answer, whosever it is. */
static bool receive(struct gl_ahead *ahead, int64_t deadline_ms)
{
    struct gl_http_exchange exchange;
    struct row *row;

    if (!gl_http_batch_next(ahead->batch, deadline_ms, &exchange))
        return false;
    row = exchange.cookie;
    row->exchange = exchange;
    row->exchange.request = (struct gl_http_request){0}; /* it is borrowed */
    row->is_back = true;
    return true;
}

int gl_ahead_take(struct gl_ahead *ahead, int64_t deadline_ms, struct gl_http_reply *out,
                  struct gl_error *err)
{
    struct row *row = ahead->chosen;

    ahead->chosen = NULL;
    row->is_taken = true;
    while (!row->is_back && receive(ahead, deadline_ms)) {
    }
    if (!row->is_back)
        return gl_fail(err, GL_E_INTERNAL, "a question that was sent has no outcome");
    if (!row->exchange.is_done)
        return gl_fail(err, row->exchange.err.code, "%s", row->exchange.err.text);
    *out = row->exchange.reply;
    return 0;
}

void gl_ahead_free(struct gl_ahead *ahead)
{
    if (ahead == NULL)
        return;
    gl_http_batch_free(ahead->batch);
    for (struct row *row = ahead->rows, *next; row != NULL; row = next) {
        next = row->next;
        if (row->is_back && row->exchange.is_done && !row->is_taken)
            gl_http_reply_done(&row->exchange.reply);
        free(row->url);
        free(row);
    }
    free(ahead);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_queue.h"

#include <stdlib.h>
#include <string.h>

/* Idle hosts are remembered for what they speak, up to so many. */
#define HOSTS_KEPT 256

struct gl_http_queue_host {
    struct gl_http_queue_host *next;
    struct gl_http_queue_item *first, **last;
    unsigned active, most;
    uint64_t turn; /* when it was served last */
    size_t length;
    char origin[];
};

static bool is_idle(const struct gl_http_queue_host *host)
{
    return host->active == 0 && host->first == NULL;
}

static void forget_idle(struct gl_http_queue *queue)
{
    for (struct gl_http_queue_host **at = &queue->hosts; *at != NULL;) {
        struct gl_http_queue_host *host = *at;

        if (is_idle(host)) {
            *at = host->next;
            free(host);
            queue->host_count--;
        } else
            at = &host->next;
    }
}

static struct gl_http_queue_host *host_of(struct gl_http_queue *queue, const char *origin,
                                          size_t length)
{
    struct gl_http_queue_host **at = &queue->hosts, *host;

    if (queue->host_count >= HOSTS_KEPT)
        forget_idle(queue);
    for (; *at != NULL; at = &(*at)->next)
        if ((*at)->length == length && memcmp((*at)->origin, origin, length) == 0)
            return *at;
    host = gl_alloc(sizeof *host + length);
    memcpy(host->origin, origin, length);
    host->length = length;
    host->most = GL_HTTP_HOST_MAX;
    host->last = &host->first;
    *at = host;
    queue->host_count++;
    return host;
}

void gl_http_queue_add(struct gl_http_queue *queue, struct gl_http_queue_item *item,
                       const char *origin, size_t length)
{
    struct gl_http_queue_host *host = host_of(queue, origin, length);

    *item = (struct gl_http_queue_item){.host = host};
    *host->last = item;
    host->last = &item->next;
}

static bool may_go(const struct gl_http_queue *queue, const struct gl_http_queue_host *host)
{
    unsigned most = host->active == 0 ? GL_HTTP_TOTAL_MAX : GL_HTTP_TOTAL_MAX - GL_HTTP_FIRST_MIN;

    return host->first != NULL && host->active < host->most && queue->active < most;
}

static bool is_before(const struct gl_http_queue_host *a, const struct gl_http_queue_host *b)
{
    return a->active != b->active ? a->active < b->active : a->turn < b->turn;
}

struct gl_http_queue_item *gl_http_queue_take(struct gl_http_queue *queue)
{
    struct gl_http_queue_host *best = NULL;
    struct gl_http_queue_item *item;

    for (struct gl_http_queue_host *host = queue->hosts; host != NULL; host = host->next)
        if (may_go(queue, host) && (best == NULL || is_before(host, best)))
            best = host;
    if (best == NULL)
        return NULL;
    item = best->first;
    best->first = item->next;
    if (best->first == NULL)
        best->last = &best->first;
    item->next = NULL;
    item->is_active = true;
    best->active++;
    best->turn = ++queue->turn;
    queue->active++;
    return item;
}

static void unlink_waiting(struct gl_http_queue_host *host, const struct gl_http_queue_item *item)
{
    struct gl_http_queue_item **at = &host->first;

    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    if (*at == NULL)
        host->last = at;
}

void gl_http_queue_remove(struct gl_http_queue *queue, struct gl_http_queue_item *item,
                          bool is_shared)
{
    struct gl_http_queue_host *host = item->host;

    if (item->is_active) {
        host->active--;
        queue->active--;
    } else
        unlink_waiting(host, item);
    if (is_shared)
        host->most = GL_HTTP_H2_MAX;
    item->host = NULL;
}

void gl_http_queue_done(struct gl_http_queue *queue)
{
    while (queue->hosts != NULL) {
        struct gl_http_queue_host *host = queue->hosts;

        queue->hosts = host->next;
        free(host);
    }
    *queue = (struct gl_http_queue){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_QUEUE_H
#define GL_BASE_HTTP_QUEUE_H

/* Who may go next: at most 6 a host (32 where it speaks HTTP/2) and 64 in all, the last 16 of them
 * for hosts that have nothing under way. The host with the least under way is served first, then
 * the one that waited longest. So hosts that do not answer keep no more than their share. Pure:
 * knows no socket and no clock. */

#include "base/error.h"

#define GL_HTTP_HOST_MAX  6
#define GL_HTTP_H2_MAX    32 /* streams of one connection; servers allow 100 and more */
#define GL_HTTP_TOTAL_MAX 64
#define GL_HTTP_FIRST_MIN 16

struct gl_http_queue_host;
/* Part of what waits; the owner keeps it in place. */
struct gl_http_queue_item {
    struct gl_http_queue_item *next;
    struct gl_http_queue_host *host;
    bool is_active;
};
struct gl_http_queue { /* zeroed at first */
    struct gl_http_queue_host *hosts;
    unsigned host_count, active;
    uint64_t turn;
};

/* `origin`: "scheme://host:port", `length` bytes of it. */
void gl_http_queue_add(struct gl_http_queue *queue, struct gl_http_queue_item *item,
                       const char *origin, size_t length);
/* The next to go, now active; NULL when none waits or none may. */
struct gl_http_queue_item *gl_http_queue_take(struct gl_http_queue *queue);
/* Out of the queue, whether it waits or is active. `is_shared`: the host spoke HTTP/2. */
void gl_http_queue_remove(struct gl_http_queue *queue, struct gl_http_queue_item *item,
                          bool is_shared);
void gl_http_queue_done(struct gl_http_queue *queue); /* items stay the owners' */

#endif

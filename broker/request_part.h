/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_REQUEST_PART_H
#define GL_BROKER_REQUEST_PART_H

/* What the files of requests share, and nobody else. */

#include "broker/request_follow.h"

/* One event "request"; `body` is taken, NULL of names and reasons that are no UTF-8: USAGE. */
int gl_request_append(const struct gl_request_desk *desk, json_t *body, struct gl_error *err);
/* A member of foreign text: printable, whatever the adapter made of it. */
void gl_request_set_text(json_t *body, const char *key, const char *text);
/* What becomes of it by a venue's word. Where it was joined others had spoken before, and one of
 * the comments is its own: only more of them than at the look before are an answer. */
enum gl_request_state gl_request_state_after(const struct gl_request_record *record,
                                             enum gl_venue_state state, int64_t comments);

#endif

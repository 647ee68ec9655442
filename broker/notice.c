/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/notice.h"

#include <stdio.h>
#include <string.h>

static const char event_kind[] = "interruption-notice";

static int note_event(void *cookie, const json_t *event)
{
    struct gl_notice *notice = cookie;
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const json_t *body = json_object_get(event, "body");
    const char *whose = json_string_value(json_object_get(body, "kind"));

    if (kind == NULL)
        return 0;
    notice->is_our_end |= strcmp(kind, "stopping") == 0;
    if (strcmp(kind, event_kind) != 0 || whose == NULL || notice->kind[0] != '\0')
        return 0;
    snprintf(notice->kind, sizeof notice->kind, "%s", whose);
    notice->seen_ms = json_integer_value(json_object_get(body, "seen_ms"));
    return 0;
}

int gl_notice_find(struct gl_ledger *ledger, const char *launch, struct gl_notice *out,
                   struct gl_error *err)
{
    struct gl_notice notice = {.kind = ""};

    if (gl_ledger_events(ledger, launch, &notice, note_event, err) != 0)
        return -1;
    *out = notice;
    return 0;
}

void gl_notice_record(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      const char *kind)
{
    const struct gl_world *world = launcher->world;
    GL_AUTO(gl_auto_json)
    json_t *body =
        json_pack("{s:s,s:I}", "kind", kind, "seen_ms", (json_int_t)world->now_ms(world->cookie));
    struct gl_notice before;
    struct gl_error ignored = {0};

    if (gl_notice_find(launcher->ledger, row->launch, &before, &ignored) == 0 &&
        before.kind[0] == '\0')
        gl_ledger_append(launcher->ledger, event_kind, row->launch, body, NULL, &ignored);
}

bool gl_notice_is_end(const struct gl_notice *notice, int64_t ended_ms, int64_t expires_ms)
{
    return notice->kind[0] != '\0' && !notice->is_our_end && ended_ms < expires_ms;
}

json_t *gl_notice_json(const struct gl_notice *notice, bool has_ended_it)
{
    if (notice->kind[0] == '\0')
        return NULL;
    return json_pack("{s:b,s:s,s:I}", "ended_it", has_ended_it, "kind", notice->kind, "seen_ms",
                     (json_int_t)notice->seen_ms);
}

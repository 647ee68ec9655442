/* SPDX-License-Identifier: Apache-2.0 */
/* What was done to a launch before, and what of it failed: from the events of the ledger. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/guard_part.h"

#define RETRY_FIRST_S 300
#define RETRY_MOST_S  3600

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

struct reading {
    struct gl_guard_past *past;
    bool is_by_person;   /* the pause that is on its way */
    bool resumes_person; /* the resume */
};

static void note_guard(struct gl_guard_past *past, const json_t *body, int64_t at_s)
{
    const char *word = text_of(body, "act");
    int act = 0;

    while (act < GL_GUARD_ACTS && strcmp(gl_guard_act_word((enum gl_guard_act)act), word) != 0)
        act++;
    if (act < GL_GUARD_ACTS && json_is_string(json_object_get(body, "error"))) {
        past->tried[act].failures++;
        past->tried[act].last_s = at_s;
    } else if (act == GL_GUARD_NOTIFY) {
        past->told_s = at_s;
        snprintf(past->told_why, sizeof past->told_why, "%s", text_of(body, "why"));
    }
}

static int note_event(void *cookie, const json_t *event)
{
    static const struct {
        const char *kind;
        enum gl_guard_act act;
    } done[] = {{"moved", GL_GUARD_MOVE}, {"paused", GL_GUARD_PAUSE}, {"resumed", GL_GUARD_RESUME}};
    struct reading *reading = cookie;
    struct gl_guard_past *past = reading->past;
    const json_t *body = json_object_get(event, "body");
    const char *kind = text_of(event, "kind");
    int64_t at_s = json_integer_value(json_object_get(event, "at_ms")) / 1000;

    if (strcmp(kind, "guard") == 0)
        note_guard(past, body, at_s);
    if (strcmp(kind, "pause") == 0)
        reading->is_by_person = strcmp(text_of(body, "by"), "guard") != 0; /* or by a budget */
    if (strcmp(kind, "resume") == 0)
        reading->resumes_person = strcmp(text_of(body, "by"), "person") == 0;
    if (strcmp(kind, "resumed") == 0 && reading->resumes_person)
        past->person_resumed_s = at_s;
    if (strcmp(kind, "paused") == 0)
        past->is_paused_by_person = reading->is_by_person;
    if (strcmp(kind, "moved") == 0)
        past->moved_s = at_s;
    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++)
        if (strcmp(kind, done[i].kind) == 0)
            past->tried[done[i].act].failures = 0;
    return 0;
}

int gl_guard_past_read(struct gl_ledger *ledger, const char *launch, struct gl_guard_past *out,
                       struct gl_error *err)
{
    struct gl_guard_past past = {
        .moved_s = GL_UNKNOWN, .told_s = GL_UNKNOWN, .person_resumed_s = GL_UNKNOWN};
    struct reading reading = {.past = &past};

    if (gl_ledger_events(ledger, launch, &reading, note_event, err) != 0)
        return -1;
    *out = past;
    return 0;
}

int64_t gl_guard_past_retry_s(const struct gl_guard_past *past, enum gl_guard_act act,
                              int64_t now_s)
{
    unsigned failures = past->tried[act].failures;
    int64_t last_s = past->tried[act].last_s, wait_s = RETRY_FIRST_S;

    /* A clock that was set back must not keep it from being tried. */
    if (failures == 0 || last_s > now_s)
        return GL_UNKNOWN;
    for (unsigned i = 1; i < failures && wait_s < RETRY_MOST_S; i++)
        wait_s *= 2;
    wait_s = wait_s < RETRY_MOST_S ? wait_s : RETRY_MOST_S;
    return now_s < last_s + wait_s ? last_s + wait_s : GL_UNKNOWN;
}

void gl_guard_moved_lately(struct gl_watch *watch, const struct gl_guard_past *past,
                           struct gl_guard_facts *facts)
{
    const int64_t now_s = watch->look->now.unix_s;
    struct gl_guard_choice choice;

    gl_guard_decide(facts, &choice);
    facts->was_moved_lately = past->moved_s != GL_UNKNOWN && past->moved_s <= now_s &&
                              now_s - past->moved_s < (int64_t)facts->min_stay_h * GL_HOUR_S;
    if (facts->was_moved_lately && choice.act == GL_GUARD_MOVE)
        snprintf(watch->unmoved, sizeof watch->unmoved, "it was moved less than %" PRIu32 " h ago",
                 facts->min_stay_h);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/rollcall.h"

#include <stdlib.h>
#include <string.h>

#include "broker/together.h"

#define CLOUDS_MAX 32 /* asked in one call */

/* What is asked of one of them. */
struct question {
    const char *cloud;
    const struct gl_launch_row *row; /* of a launch there that is not over; NULL = none */
    bool wants_list;
    struct gl_roll *out;
};

struct asking {
    struct gl_launcher *launcher;
    const struct question *questions[CLOUDS_MAX];
    size_t count;
};

/* The head of an answer; the instances follow. */
struct heard {
    struct gl_error look; /* of the launch there */
    bool has_list;
    struct gl_error why; /* there is no list */
    char unseen[256];
    size_t count;
};

/* ---- one cloud ---- */

static void look_at(struct gl_cloud *cloud, const struct gl_launch_row *row, struct gl_error *err)
{
    struct gl_instance ignored;

    if (row->instance[0] != '\0')
        cloud->ops->describe(cloud, row->instance, &ignored, err);
    else
        cloud->ops->find_by_request(cloud, row->region, row->token, &ignored, err);
}

static struct gl_instance *ask_one(struct gl_launcher *launcher, const struct question *question,
                                   struct heard *out)
{
    struct gl_instance *items = NULL;
    struct gl_cloud *cloud = launcher->open(launcher->cookie, question->cloud, NULL, &out->why);

    if (cloud == NULL) {
        out->look = out->why;
        return NULL;
    }
    if (question->row != NULL)
        look_at(cloud, question->row, &out->look);
    if (gl_launcher_would_be_silent(question->cloud, &out->look))
        out->why = out->look;
    else if (question->wants_list)
        out->has_list = cloud->ops->list(cloud, &items, &out->count, &out->why) == 0;
    memcpy(out->unseen, cloud->unseen, sizeof out->unseen);
    gl_cloud_close(cloud);
    return items;
}

static void ask(void *cookie, size_t index, struct gl_str *out)
{
    const struct asking *asking = cookie;
    struct heard heard = {.count = 0};
    GL_AUTO(gl_auto_free)
    struct gl_instance *items = ask_one(asking->launcher, asking->questions[index], &heard);

    if (!heard.has_list)
        heard.count = 0;
    gl_str_add_bytes(out, &heard, sizeof heard);
    if (heard.count > 0)
        gl_str_add_bytes(out, items, heard.count * sizeof *items);
}

/* ---- all ---- */

static void apart(void *cookie)
{
    const struct gl_launcher *launcher = ((const struct asking *)cookie)->launcher;

    launcher->apart(launcher->cookie);
}

static bool is_interrupted(const struct gl_launcher *launcher)
{
    return launcher->is_interrupted != NULL && launcher->is_interrupted(launcher->cookie);
}

static bool is_cancelled(void *cookie)
{
    return is_interrupted(((const struct asking *)cookie)->launcher);
}

static void hear(struct gl_launcher *launcher, const struct question *question,
                 const struct gl_str *answer)
{
    struct gl_roll *out = question->out;
    struct heard heard = {.count = 0};

    if (answer->length >= sizeof heard) {
        memcpy(&heard, answer->text, sizeof heard);
    } else {
        gl_together_fail(question->cloud, is_interrupted(launcher), &heard.look);
        heard.why = heard.look;
    }
    out->has_answered = heard.has_list;
    out->why = heard.why;
    memcpy(out->unseen, heard.unseen, sizeof out->unseen);
    if (heard.count > 0 && answer->length == sizeof heard + heard.count * sizeof *out->items) {
        out->items = gl_alloc(heard.count * sizeof *out->items);
        memcpy(out->items, answer->text + sizeof heard, heard.count * sizeof *out->items);
        out->count = heard.count;
    }
    /* A list fails where one region of many does: not for that those of a launch are not asked. */
    gl_launcher_note_silence(launcher, question->cloud,
                             question->row != NULL ? &heard.look : &heard.why);
}

/* Those of this machine wait for nobody. */
static bool is_beside(const struct asking *asking, const struct question *question)
{
    return asking->launcher->apart != NULL && gl_cloud_is_remote(question->cloud);
}

static void ask_here(struct asking *asking, const struct question *question)
{
    struct asking one = {asking->launcher, {question}, 1};
    GL_AUTO(gl_str_done) struct gl_str answer = {0};

    ask(&one, 0, &answer);
    hear(asking->launcher, question, &answer);
}

static void ask_all(struct gl_launcher *launcher, const struct question *questions, size_t count)
{
    struct asking asking = {.launcher = launcher};
    const struct gl_together how = {
        .cookie = &asking, .ask = ask, .apart = apart, .is_cancelled = is_cancelled};
    struct gl_str answers[CLOUDS_MAX] = {{0}};

    for (size_t i = 0; i < count; i++)
        if (is_beside(&asking, &questions[i]))
            asking.questions[asking.count++] = &questions[i];
        else
            ask_here(&asking, &questions[i]);
    gl_together(&how, asking.count, answers);
    for (size_t i = 0; i < asking.count; i++) {
        hear(launcher, asking.questions[i], &answers[i]);
        gl_str_done(&answers[i]);
    }
}

/* The first launch there that is not over; of this machine none, nobody waits for it. */
static const struct gl_launch_row *row_of(const struct gl_launch_rows *rows, const char *cloud)
{
    for (size_t i = 0; gl_cloud_is_remote(cloud) && i < rows->count; i++)
        if (!gl_launch_row_is_over(&rows->rows[i]) && strcmp(rows->rows[i].cloud, cloud) == 0)
            return &rows->rows[i];
    return NULL;
}

void gl_rollcall(struct gl_launcher *launcher, const char *const *clouds, size_t count,
                 struct gl_roll *out)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct question questions[CLOUDS_MAX];
    struct gl_error ignored = {0};
    size_t asked = 0;

    if (launcher->ledger != NULL)
        gl_ledger_launches(launcher->ledger, NULL, &rows, &ignored);
    for (size_t i = 0; i < count; i++) {
        const struct gl_error *silence = gl_launcher_silence(launcher, clouds[i]);

        out[i] = (struct gl_roll){.cloud = clouds[i]};
        if (silence != NULL)
            out[i].why = *silence;
        else if (asked < CLOUDS_MAX)
            questions[asked++] =
                (struct question){clouds[i], row_of(&rows, clouds[i]), true, &out[i]};
    }
    ask_all(launcher, questions, asked);
}

void gl_rolls_done(struct gl_roll *rolls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(rolls[i].items);
}

void gl_rollcall_of(struct gl_launcher *launcher, const struct gl_launch_rows *rows)
{
    struct question questions[CLOUDS_MAX];
    struct gl_roll rolls[CLOUDS_MAX];
    size_t count = 0;

    if (launcher->apart == NULL)
        return;
    for (size_t i = 0; i < rows->count && count < CLOUDS_MAX; i++) {
        const struct gl_launch_row *row = &rows->rows[i];

        if (row_of(rows, row->cloud) == row && !gl_launcher_is_silent(launcher, row->cloud)) {
            rolls[count] = (struct gl_roll){.cloud = row->cloud};
            questions[count] = (struct question){row->cloud, row, false, &rolls[count]};
            count++;
        }
    }
    if (count > 1)
        ask_all(launcher, questions, count);
}

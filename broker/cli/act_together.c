/* SPDX-License-Identifier: Apache-2.0 */
/* Several clouds asked at once by a command. */
#include <string.h>

#include "base/http_date.h"
#include "broker/cli/act.h"
#include "broker/interrupt.h"
#include "broker/together.h"

static void ask(void *cookie, size_t index, struct gl_str *out)
{
    const struct gl_act_question *question = cookie;

    question->ask(question->context, question->cookie, index, out);
}

void gl_act_apart(struct gl_context *context)
{
    context->world.http = NULL;
    context->ledger = NULL;
    context->globals.has_no_progress = context->globals.is_quiet = true;
}

static void apart(void *cookie)
{
    gl_act_apart(((const struct gl_act_question *)cookie)->context);
}

static bool is_interrupted(void *cookie)
{
    gl_progress_tick(((const struct gl_act_question *)cookie)->context);
    return gl_interrupted();
}

void gl_act_together(const struct gl_act_question *question, size_t count, struct gl_str *answers)
{
    struct gl_act_question own = *question;
    const struct gl_together how = {
        .cookie = &own, .ask = ask, .apart = apart, .is_cancelled = is_interrupted};

    gl_progress(own.context, "asking %zu cloud%s", count, count == 1 ? "" : "s");
    gl_together(&how, count, answers);
    gl_progress_end(own.context);
}

int gl_act_unanswered(const char *cloud, struct gl_error *err)
{
    return gl_together_fail(cloud, gl_interrupted(), err);
}

int gl_act_asked(int status, struct gl_error *err)
{
    return gl_interrupted() ? gl_interrupt_fail(err, "some clouds were not asked to the end")
                            : status;
}

/* ---- who we are ---- */

static size_t count_regions(struct gl_cloud *cloud)
{
    const char *const *regions;
    struct gl_error ignored = {0};
    size_t count = 0;

    if (cloud->ops->regions(cloud, &regions, &ignored) == 0)
        while (regions[count] != NULL)
            count++;
    return count;
}

static void who_is_this(struct gl_context *context, const char *name, bool wants_regions,
                        struct gl_act_account *out)
{
    struct gl_cloud *cloud = gl_act_open_cloud(context, name, NULL, &out->why);

    out->is_known = cloud != NULL && cloud->ops->whoami(cloud, out->who, &out->why) == 0;
    if (out->is_known && wants_regions)
        out->regions = count_regions(cloud);
    gl_cloud_close(cloud);
}

static void ask_account(struct gl_context *context, void *cookie, size_t index, struct gl_str *out)
{
    struct gl_act_account account = {.who = ""};
    const char *name = context->config.clouds.items[index].name;
    struct gl_http *dated = NULL;

    gl_context_online(context);
    if (context->world.http != NULL) {
        dated = gl_http_dated_new(context->world.http, &context->world);
        gl_http_dated_swap(dated, &context->world.http);
    }
    who_is_this(context, name, *(const bool *)cookie, &account);
    if (dated != NULL) {
        gl_http_dated_swap(dated, &context->world.http);
        account.has_date = gl_http_dated_ahead(dated, &account.ahead_s);
    }
    gl_http_close(dated);
    gl_str_add_bytes(out, &account, sizeof account);
}

void gl_act_accounts(struct gl_context *context, bool wants_regions,
                     struct gl_act_account out[GL_CONFIG_CLOUDS_MAX])
{
    const struct gl_config_sections *clouds = &context->config.clouds;
    struct gl_str answers[GL_CONFIG_CLOUDS_MAX] = {{0}};

    if (clouds->count > 0)
        gl_act_together(&(struct gl_act_question){context, &wants_regions, ask_account},
                        clouds->count, answers);
    for (size_t i = 0; i < clouds->count; i++) {
        out[i] = (struct gl_act_account){.who = ""};
        if (answers[i].length == sizeof out[i])
            memcpy(&out[i], answers[i].text, sizeof out[i]);
        else
            gl_act_unanswered(clouds->items[i].name, &out[i].why);
        gl_str_done(&answers[i]);
    }
}

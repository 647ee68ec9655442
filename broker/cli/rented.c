/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/rented.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "base/unit.h"
#include "broker/carried.h"
#include "broker/cli/again.h"
#include "broker/cli/demand_reply.h"
#include "broker/cli/rows.h"
#include "broker/finish.h"
#include "broker/interrupt.h"
#include "broker/render/text.h"
#include "providers/cloud/local_image.h"

#define FIRST_LEASE_S 3600
#define FIRST_USE     "first-use"
#define LABEL         11 /* "  CAPACITY " */

/* ---- the order ---- */

static int check_carried(const struct gl_start_options *options, struct gl_error *err)
{
    if (options->with != NULL || options->files_in != NULL || options->has_network)
        return gl_fail(err, GL_E_USAGE,
                       "--with, --file-in and --net are for instances on this machine: a rented "
                       "one gets an --image, --user-data and a command");
    return 0;
}

/* One that is named for this launch alone is for the architecture that is asked for. */
static int take_meter(const struct gl_context *context, const struct gl_ask *ask,
                      const struct gl_start_options *options, const struct gl_order *order,
                      struct gl_carried_meter *out, struct gl_error *err)
{
    const struct gl_carried_type type = {order->cloud, order->launch.type, order->launch.arch};
    struct gl_carried_meter named = context->config.meter;

    if ((options->meter_url != NULL) != (options->meter_sha256 != NULL))
        return gl_fail(err, GL_E_USAGE,
                       "--meter-url and --meter-sha256 go together: the guest runs no program "
                       "that is not pinned");
    if (options->meter_url != NULL && ask->arch != NULL && strcmp(ask->arch, "arm64") == 0) {
        named.arm64_url = options->meter_url;
        named.arm64_sha256 = options->meter_sha256;
    } else if (options->meter_url != NULL) {
        named.url = options->meter_url;
        named.sha256 = options->meter_sha256;
    }
    return gl_carried_pick(&named, &type, out, err);
}

int gl_rented_order(const struct gl_context *context, const struct gl_ask *ask,
                    const struct gl_start_options *options, struct gl_order *order,
                    struct gl_carried_meter *meter, struct gl_error *err)
{
    enum gl_image_kind kind;
    int64_t cap = 0;

    if (!gl_cloud_is_remote(order->cloud)) {
        if (options->is_spot || options->meter_url != NULL || options->meter_sha256 != NULL)
            return gl_fail(err, GL_E_USAGE,
                           "--spot, --meter-url and --meter-sha256 are for rented machines");
        return options->image != NULL ? gl_image_check(options->image, &kind, err) : 0;
    }
    if (check_carried(options, err) != 0 ||
        take_meter(context, ask, options, order, meter, err) != 0)
        return -1;
    if (ask->max_price != NULL && gl_quantity_parse(GL_DIM_PRICE, ask->max_price, &cap, err) != 0)
        return gl_wrap(err, "--max-price %s", ask->max_price);
    order->launch.max_price_u_usd = cap;
    order->launch.is_spot = options->is_spot;
    order->launch.meter = gl_carried_is_any(meter) ? meter : NULL;
    return 0;
}

bool gl_rented_warn(struct gl_context *context, const struct gl_offer *offer)
{
    const struct gl_carried_type type = {offer->place->cloud, offer->type->name, offer->type->arch};
    struct gl_carried_meter ignored;
    struct gl_error why = {0};

    if (!gl_cloud_is_remote(type.cloud) ||
        gl_carried_pick(&context->config.meter, &type, &ignored, &why) == 0)
        return false;
    gl_warn(context, "GL8003", "cannot be launched as it is configured: %s", why.text);
    return true;
}

static bool shows_console(const char *cloud)
{
    const struct gl_cloud_ops *ops = gl_cloud_find(cloud);

    return ops != NULL && (ops->caps & GL_CLOUD_CONSOLE) != 0;
}

void gl_rented_say(struct gl_context *context, const struct gl_order *order)
{
    if (!gl_cloud_is_remote(order->cloud))
        return;
    if (order->launch.meter == NULL)
        gl_warn(context, "GL8003",
                "no readings: charged at the model's high bound (name a meter with --meter-url and "
                "--meter-sha256, or `meter` in the configuration)");
    else if (!shows_console(order->cloud) && order->launch.meter->push == NULL)
        gl_warn(context, "GL8003",
                "no readings will come back, nor how a command ends: %s shows no console, and "
                "`meter` names no address to push to (greenlaunch meter receive); charged at the "
                "model's high bound",
                order->cloud);
    else if (order->launch.command == NULL)
        gl_say(context, "no command: the meter runs until the lease ends or it is stopped");
}

/* ---- first use ---- */

static void event_name(const char *cloud, char out[GL_CLOUD_ID])
{
    snprintf(out, GL_CLOUD_ID, "cloud:%s", cloud);
}

static int note_first_use(void *cookie, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));

    *(bool *)cookie |= kind != NULL && strcmp(kind, FIRST_USE) == 0;
    return 0;
}

static int was_used(struct gl_launcher *launcher, const char *cloud, bool *out,
                    struct gl_error *err)
{
    char name[GL_CLOUD_ID];

    event_name(cloud, name);
    *out = false;
    return gl_ledger_events(launcher->ledger, name, out, note_first_use, err);
}

int gl_rented_claim_first(struct gl_launcher *launcher, const char *cloud, int *out_lock,
                          struct gl_error *err)
{
    char name[GL_CLOUD_ID];
    bool is_used = true;
    int lock;

    *out_lock = -1;
    if (!gl_cloud_is_remote(cloud))
        return 0;
    if (was_used(launcher, cloud, &is_used, err) != 0)
        return -1;
    if (is_used)
        return 0;
    snprintf(name, sizeof name, FIRST_USE "-%s", cloud);
    lock = gl_launch_lock(launcher->state_folder, name, 0, err);
    if (lock >= 0) {
        *out_lock = lock;
        return 0;
    }
    if (err->code == GL_E_LOCKED) {
        gl_error_clear(err);
        gl_fail(err, GL_E_LOCKED,
                "the first launch on %s in this ledger is one instance, and another process is "
                "starting it now: nothing was started",
                cloud);
    }
    return -1;
}

void gl_rented_note_use(struct gl_launcher *launcher, const struct gl_order *order)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:I,s:I}", "cloud", order->cloud, "lease_s",
                             (json_int_t)order->launch.lease.s, "max_price_u_usd_per_h",
                             (json_int_t)order->launch.max_price_u_usd);
    struct gl_error ignored = {0};
    char name[GL_CLOUD_ID];
    bool is_used = true;

    if (!gl_cloud_is_remote(order->cloud) ||
        was_used(launcher, order->cloud, &is_used, &ignored) != 0 || is_used)
        return;
    event_name(order->cloud, name);
    gl_ledger_append(launcher->ledger, FIRST_USE, name, body, NULL, &ignored);
}

/* The same command with what is missing. */
static void line_to_type(const struct gl_context *context, const struct gl_ask *ask,
                         const struct gl_offer *offer, struct gl_str *out)
{
    struct gl_ask small = *ask;
    struct gl_again again;
    char cap[64] = "PRICE";

    if (small.duration_s == INT64_MIN || small.duration_s > FIRST_LEASE_S)
        small.duration_s = FIRST_LEASE_S;
    if (offer->price_u_usd_per_h != GL_UNKNOWN)
        snprintf(cap, sizeof cap, "%.4fUSD/h", (double)(offer->price_u_usd_per_h + 99) / 1e6);
    if (small.max_price == NULL)
        small.max_price = cap;
    gl_again_start(&again, context, context->command, &small);
    gl_again_line(context, again.words, out);
    gl_again_done(&again);
}

static bool may_ask(const struct gl_context *context)
{
    return !context->globals.is_yes && !context->globals.has_no_input &&
           !context->globals.is_json && isatty(STDIN_FILENO) == 1;
}

static int ask_person(struct gl_context *context, const struct gl_ask *ask, const char *cloud,
                      struct gl_error *err)
{
    char line[16];

    gl_progress_end(context);
    fprintf(stderr,
            "First use of %s: this rents one machine for at most 1 hour at no more than %s.\n"
            "Start it? y or n: ",
            cloud, ask->max_price);
    if (fgets(line, sizeof line, stdin) == NULL && gl_interrupted())
        return gl_interrupt_fail(err, "nothing was started");
    if (line[0] == 'y' || line[0] == 'Y')
        return GL_EXIT_OK;
    gl_str_add(&context->reply.text, "Nothing was started.\n");
    return GL_EXIT_DECLINED;
}

int gl_rented_first_use(struct gl_context *context, struct gl_launcher *launcher,
                        const struct gl_ask *ask, const struct gl_offer *offer,
                        struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    bool is_short = ask->duration_s == INT64_MIN || ask->duration_s <= FIRST_LEASE_S, is_used;

    if (!gl_cloud_is_remote(offer->place->cloud))
        return GL_EXIT_OK;
    if (was_used(launcher, offer->place->cloud, &is_used, err) != 0)
        return -1;
    if (is_used)
        return GL_EXIT_OK;
    if (is_short && ask->max_price != NULL)
        return may_ask(context) ? ask_person(context, ask, offer->place->cloud, err) : GL_EXIT_OK;
    line_to_type(context, ask, offer, &line);
    return gl_fail(err, GL_E_USAGE,
                   "the first launch on %s in this ledger is one instance, for at most 1 hour and "
                   "with a price cap: %s",
                   offer->place->cloud, gl_str_text(&line));
}

/* ---- places that had nothing to give ---- */

void gl_tries_add(struct gl_tries *tries, const struct gl_order *order, enum gl_reach reach,
                  const struct gl_error *why)
{
    struct gl_left_out *left;

    if (tries->count < sizeof tries->items / sizeof tries->items[0]) {
        struct gl_tried *tried = &tries->items[tries->count++];

        snprintf(tried->place, sizeof tried->place, "%s %s %s", order->cloud, order->launch.region,
                 order->launch.type);
        snprintf(tried->cloud, sizeof tried->cloud, "%s", order->cloud);
        snprintf(tried->region, sizeof tried->region, "%s", order->launch.region);
        snprintf(tried->type, sizeof tried->type, "%s", order->launch.type);
        tried->why = *why;
    }
    if (tries->without.count == GL_WITHOUT_MAX)
        return;
    left = &tries->without.items[tries->without.count++];
    *left = (struct gl_left_out){"", "", ""};
    snprintf(left->cloud, sizeof left->cloud, "%s", order->cloud);
    if (reach == GL_REACH_ACCOUNT)
        return;
    snprintf(left->region, sizeof left->region, "%s", order->launch.region);
    if (reach != GL_REACH_REGION || why->code == GL_E_PRICE)
        snprintf(left->type, sizeof left->type, "%s", order->launch.type);
}

static const char *gap_word(enum gl_errc code)
{
    return code == GL_E_QUOTA      ? "QUOTA"
           : code == GL_E_PRICE    ? "PRICE"
           : code == GL_E_NO_PLACE ? "ACCESS"
                                   : "CAPACITY";
}

static json_t *answers_json(const struct gl_tries *tries)
{
    json_t *answers = json_array();

    for (size_t i = 0; i < tries->count; i++) {
        json_t *answer =
            json_pack("{s:s,s:s,s:s}", "place", tries->items[i].place, "gap",
                      gap_word(tries->items[i].why.code), "message", tries->items[i].why.text);

        json_array_append_new(answers, answer != NULL ? answer : json_null());
    }
    return answers;
}

/* What was asked for and where it was not to be had: the rules would have let it run there. The
 * last place of each cloud stands for it. What the account cannot use says nothing of the cloud's
 * stock. */
static size_t signals_of(struct gl_context *context, const struct gl_tries *tries,
                         const struct gl_ask_result *asked, struct gl_demand out[GL_DEMAND_PLACES])
{
    struct gl_demand like = gl_demand_begin(&context->world, NULL, context->is_demo);
    size_t count = 0;

    like.kind = GL_DEMAND_REFUSE;
    like.capability = GL_CAPABILITY_CAPACITY;
    gl_demand_of_policy(asked->policy, like.rule);
    gl_demand_want(&like, asked->request.duration, asked->request.count, 0);
    for (size_t i = tries->count; i-- > 0 && count < GL_DEMAND_PLACES;) {
        const struct gl_tried *tried = &tries->items[i];
        struct gl_demand one = like;
        size_t same = 0;

        if (tried->why.code == GL_E_NO_PLACE)
            continue;
        gl_demand_at(&one, tried->cloud, tried->region, tried->type);
        while (same < count && strcmp(out[same].provider, one.provider) != 0)
            same++;
        if (same == count)
            out[count++] = one;
    }
    return count;
}

void gl_tries_text(const struct gl_tries *tries, unsigned columns, struct gl_str *out)
{
    for (size_t i = 0; i < tries->count; i++) {
        const struct gl_tried *tried = &tries->items[i];
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_str_addf(&text, "%s: ", tried->place);
        gl_str_add_printable(&text, tried->why.text, strlen(tried->why.text));
        gl_str_addf(out, "  %-8s ", gap_word(tried->why.code));
        gl_render_hang(gl_str_text(&text), LABEL, columns, out);
    }
}

int gl_tries_refuse(struct gl_context *context, const struct gl_tries *tries,
                    const struct gl_ask_result *asked, struct gl_error *err)
{
    struct gl_str *out = &context->reply.text;
    struct gl_demand signals[GL_DEMAND_PLACES];

    context->reply.verdict = "refuse";
    gl_str_add(out, "REFUSED: no place that the rules allow has anything to give.\n");
    gl_tries_text(tries, context->columns, out);
    json_decref(context->reply.data);
    context->reply.data = json_pack("{s:o}", "answers", answers_json(tries));
    if (gl_demand_say(context, signals, signals_of(context, tries, asked, signals), err) != 0)
        return -1;
    gl_again_next(context, "every place and what the rules say of it", "offers", asked->ask, NULL);
    return GL_EXIT_REFUSED;
}

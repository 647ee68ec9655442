/* SPDX-License-Identifier: Apache-2.0 */
/* Options to rules and request, then the one evaluator: shared by offers, why, launch and run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/act.h"
#include "broker/cli/ask_forecast.h"
#include "broker/cli/misnamed.h"
#include "broker/cli/refresh.h"
#include "broker/learnt.h"

#define LIMITS_MAX 64
#define SIZE_LIMIT ((int64_t)1 << 24) /* vCPUs: far above anything sold */

/* Storage for the NULL-terminated lists a request borrows. */
struct ask_memory {
    const char *clouds[GL_OPTION_LIST_MAX + 1];
    const char *regions[GL_OPTION_LIST_MAX + 1];
    const char *types[GL_OPTION_LIST_MAX + 1];
    const char *tags[GL_OPTION_LIST_MAX + 1];
    const char *limits[2 * LIMITS_MAX + 1];
    size_t limit_count;
    struct gl_str joined[2]; /* list values as policy text */
};

static void limit(struct ask_memory *memory, const char *key, const char *text)
{
    if (text == NULL)
        return;
    memory->limits[2 * memory->limit_count] = key;
    memory->limits[2 * memory->limit_count + 1] = text;
    memory->limit_count++;
}

static const char *join_list(struct gl_str *out, const struct gl_option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        gl_str_addf(out, "%s%s", i > 0 ? "," : "", list->items[i]);
    return list->count > 0 ? gl_str_text(out) : NULL;
}

/* Flags and policy keys share their names but for the ones said here. */
static void collect_limits(const struct gl_ask *ask, struct ask_memory *memory)
{
    const struct {
        const char *key, *text;
    } rows[] = {
        {"min_renewable", ask->renewable_only},
        {"min_renewable", ask->min_renewable},
        {"max_intensity", ask->max_intensity},
        {"min_carbon_free", ask->min_carbon_free},
        {"min_grade", ask->min_grade},
        {"max_rate", ask->max_rate},
        {"max_total", ask->max_total},
        {"max_price", ask->max_price},
        {"max_data_age", ask->max_age},
        {"green_for", ask->green_for},
        {"confidence", ask->confidence},
        {"on_lapse", ask->on_lapse},
        {"accounting", ask->accounting},
        {"rate", ask->rate},
        {"boundary", ask->boundary},
        {"on_unknown", ask->on_unknown},
        {"biomass", ask->has_no_biomass ? "false" : NULL},
        {"not_regions", join_list(&memory->joined[0], &ask->not_regions)},
        {"countries", join_list(&memory->joined[1], &ask->countries)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].text != NULL && (i != 1 || ask->renewable_only == NULL))
            limit(memory, rows[i].key, rows[i].text);
}

/* "4", "4+", "4..", "..8", "4..8" of a dimension into whole base units (micro-units / 1e6). */
static int parse_end(enum gl_dimension dim, const char *text, size_t length, int64_t *out,
                     struct gl_error *err)
{
    char part[48];

    if (length == 0)
        return 0;
    if (length >= sizeof part)
        return gl_fail(err, GL_E_USAGE, "\"%s\" is too long", text);
    memcpy(part, text, length);
    part[length] = '\0';
    return gl_quantity_parse(dim, part, out, err);
}

static int parse_range(enum gl_dimension dim, const char *flag, const char *text, int64_t *out_low,
                       int64_t *out_high, struct gl_error *err)
{
    const char *dots = strstr(text, "..");
    size_t length = strlen(text);
    int64_t low = 0, high = 0;
    bool is_open = length > 1 && text[length - 1] == '+';

    if (dots != NULL) {
        if (parse_end(dim, text, (size_t)(dots - text), &low, err) != 0 ||
            parse_end(dim, dots + 2, strlen(dots + 2), &high, err) != 0)
            return gl_wrap(err, "--%s %s", flag, text);
    } else {
        if (parse_end(dim, text, length - is_open, &low, err) != 0)
            return gl_wrap(err, "--%s %s", flag, text);
        high = is_open ? 0 : low;
    }
    if (high != 0 && high < low)
        return gl_fail(err, GL_E_USAGE, "--%s %s: the range ends before it begins", flag, text);
    *out_low = low;
    *out_high = high;
    return 0;
}

static int collect_sizes(const struct gl_ask *ask, struct gl_request *request, struct gl_error *err)
{
    int64_t low = 0, high = 0;
    const int64_t mib = (int64_t)1048576 * 1000000;

    if (ask->cpus != NULL) {
        if (parse_range(GL_DIM_COUNT, "cpus", ask->cpus, &low, &high, err) != 0)
            return -1;
        if (low > SIZE_LIMIT * 1000000 || high > SIZE_LIMIT * 1000000)
            return gl_fail(err, GL_E_USAGE, "--cpus %s is too large", ask->cpus);
        request->min_vcpus = (uint32_t)((low + 999999) / 1000000);
        request->max_vcpus = (uint32_t)(high / 1000000);
    }
    if (ask->memory != NULL) {
        /* Whole MiB; sizes beyond 2^63 micro-bytes (8 TiB) are refused by the parser. */
        if (parse_range(GL_DIM_SIZE, "memory", ask->memory, &low, &high, err) != 0)
            return -1;
        request->min_memory_mib = (uint32_t)(low / mib + (low % mib > 0));
        request->max_memory_mib = (uint32_t)(high / mib);
    }
    return 0;
}

/* An instant, or a span from now. */
static int parse_time(const char *flag, const char *text, struct gl_instant now,
                      struct gl_instant *out, struct gl_error *err)
{
    struct gl_error ignored = {0};
    struct gl_span span;

    if (gl_span_parse(text, &span, &ignored) == 0)
        *out = (struct gl_instant){now.unix_s + span.s};
    else if (gl_instant_parse(text, out, err) != 0)
        return gl_wrap(err, "--%s %s", flag, text);
    if (out->unix_s <= now.unix_s)
        return gl_fail(err, GL_E_USAGE, "--%s %s has passed", flag, text);
    return 0;
}

/* One at once is a second from now: a request whose latest start is its start may start whenever it
 * likes. */
int gl_ask_times_of(const struct gl_ask *ask, struct gl_instant now, struct gl_ask_times *out,
                    struct gl_error *err)
{
    int64_t duration_s = ask->duration_s == INT64_MIN ? 3600 : ask->duration_s;
    struct gl_ask_times times = {.latest_start = now, .finish_by = {GL_UNKNOWN}};
    int64_t latest_s;

    if (ask->start_by != NULL &&
        parse_time("start-by", ask->start_by, now, &times.latest_start, err) != 0)
        return -1;
    times.has_latest_start = ask->start_by != NULL;
    if (ask->finish_by != NULL) {
        if (parse_time("finish-by", ask->finish_by, now, &times.finish_by, err) != 0)
            return -1;
        latest_s = times.finish_by.unix_s - duration_s;
        if (latest_s < now.unix_s)
            return gl_fail(err, GL_E_USAGE,
                           "--finish-by %s: the run takes longer than the time until then",
                           ask->finish_by);
        latest_s = latest_s > now.unix_s ? latest_s : latest_s + 1;
        if (!times.has_latest_start || latest_s < times.latest_start.unix_s)
            times.latest_start.unix_s = latest_s;
        times.has_latest_start = true;
    }
    *out = times;
    return 0;
}

static int check_tags(const struct gl_option_list *tags, struct gl_error *err)
{
    for (size_t i = 0; i < tags->count; i++) {
        const char *equals = strchr(tags->items[i], '=');

        if (equals == NULL || equals == tags->items[i])
            return gl_fail(err, GL_E_USAGE, "--tag is KEY=VALUE, as in team=ml");
    }
    return 0;
}

static int collect_request(struct gl_context *context, const struct gl_ask *ask,
                           struct ask_memory *memory, struct gl_ask_result *result,
                           struct gl_error *err)
{
    struct gl_request *request = &result->request;
    struct gl_ask_times times;

    *request = (struct gl_request){
        .duration = {ask->duration_s == INT64_MIN ? 3600 : ask->duration_s},
        .load = ask->load_ppm == INT64_MIN ? 0.5 : (double)ask->load_ppm / 1e6,
        .count = ask->count == INT64_MIN ? 1 : (uint32_t)ask->count,
        .gpu = ask->gpu,
        .arch = ask->arch,
        .clouds = gl_act_list(&ask->clouds, memory->clouds),
        .regions = gl_act_list(&ask->regions, memory->regions),
        .types = gl_act_list(&ask->types, memory->types),
        .tags = gl_act_list(&ask->tags, memory->tags),
    };
    if (check_tags(&ask->tags, err) != 0)
        return -1;
    if (request->load > 1)
        return gl_fail(err, GL_E_USAGE, "--load is at most 100%%");
    if (gl_context_now(context, &result->now, err) != 0)
        return -1;
    request->start = result->now;
    if (gl_ask_times_of(ask, result->now, &times, err) != 0)
        return -1;
    request->latest_start = times.latest_start;
    result->finish_by = times.finish_by;
    return collect_sizes(ask, request, err);
}

static void describe_threshold(const struct gl_ask *ask, char out[160])
{
    const char *share = ask->renewable_only != NULL ? ask->renewable_only : ask->min_renewable;

    if (share == NULL) {
        out[0] = '\0';
        return;
    }
    const char *grade = ask->min_grade != NULL ? ask->min_grade : "C";
    bool is_hourly = grade[0] < 'D'; /* D and E admit yearly averages */
    snprintf(out, 160, "renewable share >= %s, %s%s-based, grade %s or better", share,
             is_hourly ? "hourly, " : "", ask->accounting != NULL ? ask->accounting : "location",
             grade);
}

/* The index of the word in GL_SORT_WORDS; the option table has checked it. */
static enum gl_sort sort_of(const char *word)
{
    static const char *const words[] = {"carbon", "price", "intensity", "renewable"};
    enum gl_sort sort = GL_SORT_CARBON;

    for (unsigned i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], word) == 0)
            sort = (enum gl_sort)i;
    return sort;
}

/* Is it worth a word? A file that cannot be used always is; a network source only when the user
 * named it and it was asked: that the built-in ones are silent is no news. */
static bool is_worth_a_word(const struct gl_context *context, const struct gl_signal_report *report)
{
    bool is_wanted = strcmp(report->source, "file") == 0 ||
                     (context->config.has_sources && context->world.http != NULL);

    if (report->is_doubted)
        return is_wanted;
    return is_wanted && !report->is_ok && !report->is_unknown && report->error.code != GL_OK &&
           report->error.code != GL_E_UNKNOWN_DATA;
}

/* Of a file every text is another trouble; a network source is asked for many zones, and its first
 * trouble stands for all. */
static bool is_same_trouble(const struct gl_signal_report *a, const struct gl_signal_report *b)
{
    return strcmp(a->source, b->source) == 0 &&
           (strcmp(a->source, "file") != 0 || strcmp(a->error.text, b->error.text) == 0);
}

static void warn_of_sources(struct gl_context *context, const struct gl_signal_store *store)
{
    size_t count;
    const struct gl_signal_report *reports = gl_signal_store_reports(store, &count);

    for (size_t i = 0; i < count; i++) {
        size_t before = 0;

        if (!is_worth_a_word(context, &reports[i]))
            continue;
        while (before < i && !(is_worth_a_word(context, &reports[before]) &&
                               is_same_trouble(&reports[before], &reports[i])))
            before++;
        if (before == i)
            gl_warn(context, "GL8001", "a configured source is left out: %s",
                    reports[i].error.text);
    }
}

static void warn_of_zone(struct gl_context *context, const char *zone,
                         const struct gl_offer_list *offers)
{
    for (size_t i = 0; zone != NULL && i < offers->count; i++) {
        const struct gl_offer *offer = &offers->offers[i];

        if (strcmp(offer->place->cloud, "local") != 0 || offer->place->zone_count == 0)
            continue;
        if (offer->place->zones[0]->count == 0)
            gl_warn_of_zone(context, zone);
        return;
    }
}

/* ---- promises ---- */

static bool is_promisable(const struct gl_policy *policy, bool wants_later)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        if (gl_book_is_promisable(&policy->rules[r], wants_later))
            return true;
    return false;
}

static bool caps_grams(const struct gl_policy *policy)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        if (policy->rules[r].budget != NULL && policy->rules[r].budget->limit.key != NULL)
            return true;
    return false;
}

static size_t zones_with_history(const struct gl_offer_list *offers,
                                 const struct gl_zone_facts **out, size_t capacity)
{
    size_t count = 0;

    for (size_t i = 0; i < offers->count; i++)
        for (size_t z = 0; z < offers->offers[i].place->zone_count && count < capacity; z++) {
            const struct gl_zone_facts *zone = offers->offers[i].place->zones[z];
            size_t at = 0;

            if (zone->history_count == 0)
                continue;
            while (at < count && out[at] != zone)
                at++;
            if (at == count)
                out[count++] = zone;
        }
    return count;
}

#define ZONES_MAX 64

void gl_ask_promise(struct gl_context *context, bool wants_later, struct gl_ask_result *result)
{
    const struct gl_zone_facts *zones[ZONES_MAX];
    size_t count = zones_with_history(result->offers, zones, ZONES_MAX);
    struct gl_error ignored = {0};
    struct gl_learnt learnt;

    if (count == 0 || !is_promisable(result->policy, wants_later))
        return;
    gl_progress(context, "working out what can be promised");
    gl_learnt_init(&learnt, gl_context_state(context, &ignored));
    result->book = gl_book_make(&result->promises,
                                &(struct gl_book_ask){.policy = result->policy,
                                                      .zones = zones,
                                                      .zone_count = count,
                                                      .now = result->now,
                                                      .run = result->request.duration,
                                                      .wants_later = wants_later,
                                                      .probability = GL_BOOK_PROBABILITY,
                                                      .memory = &learnt.memory,
                                                      .request = &result->request,
                                                      .offers = result->offers->offers,
                                                      .offer_count = result->offers->count});
    gl_learnt_done(&learnt);
    gl_progress_end(context);
}

/* Of a run that starts as late as it may. */
static struct gl_instant end_of(const struct gl_request *request)
{
    bool may_wait = request->latest_start.unix_s > request->start.unix_s;
    struct gl_instant start = may_wait ? request->latest_start : request->start;

    return (struct gl_instant){start.unix_s + request->duration.s};
}

static bool is_left_out(const struct gl_without *without, const struct gl_offer *offer)
{
    for (size_t i = 0; i < without->count; i++) {
        const struct gl_left_out *item = &without->items[i];

        if (strcmp(item->cloud, offer->place->cloud) == 0 &&
            (item->region[0] == '\0' || strcmp(item->region, offer->place->region) == 0) &&
            (item->type[0] == '\0' || strcmp(item->type, offer->type->name) == 0))
            return true;
    }
    return false;
}

static void leave_out(const struct gl_without *without, struct gl_offer_list *offers)
{
    size_t kept = 0;

    for (size_t i = 0; without != NULL && i < offers->count; i++)
        if (!is_left_out(without, &offers->offers[i]))
            offers->offers[kept++] = offers->offers[i];
    if (without != NULL)
        offers->count = kept;
}

static void warn_of(struct gl_context *context, const char *zone,
                    const struct gl_ask_result *result)
{
    warn_of_sources(context, result->signals);
    warn_of_zone(context, zone, result->offers);
    gl_warn_of_misnamed(context, &result->request, result->policy, result->offers);
}

static int gather_and_decide(struct gl_context *context, const struct gl_ask *ask,
                             struct gl_ask_result *result, struct gl_error *err)
{
    const char *zone = gl_context_zone(context, ask->zone);
    GL_AUTO(gl_auto_free) char *prices = gl_refresh_folder(context);
    struct gl_offer_own owns[GL_CONFIG_CLOUDS_MAX];
    struct gl_offer_options options = {
        .price_folder = prices,
        .owns = owns,
        .own_count = gl_refresh_owns(context, owns),
        .local_zone = zone,
        .local_country = context->config.country,
        .local_places = context->config.places,
        .local_place_count = context->config.place_count,
        .has_local = true,
        .wants_history = ask->wants_history || is_promisable(result->policy, ask->wants_later) ||
                         (ask->wants_futures && caps_grams(result->policy)),
    };

    if (ask->zone != NULL && context->config.place_count > 0)
        return gl_fail(
            err, GL_E_USAGE,
            "--zone does not apply: the configuration lists places, each in its own zone; "
            "--region NAME chooses one");
    gl_host_read(&context->world, &result->host);
    options.local_vcpus = result->host.vcpus;
    options.local_memory_mib = result->host.memory_mib;
    options.local_family = result->host.family;
    gl_progress_signals(context);
    result->signals = gl_context_signals(context, err);
    result->offers = gl_alloc(sizeof *result->offers);
    if (result->signals == NULL ||
        gl_offers_gather(&result->request, &options, result->signals, result->offers, err) != 0)
        return -1;
    if (ask->without == NULL)
        gl_refresh_advise(context, &result->request, result->offers);
    leave_out(ask->without, result->offers);
    gl_progress_end(context);
    warn_of(context, zone, result);
    if (result->offers->has_history) {
        gl_ask_forecast(&result->promises, result->offers, result->now, end_of(&result->request));
        gl_ask_promise(context, ask->wants_later, result);
    }
    result->decision = gl_decide(&(struct gl_question){
        .policy = result->policy,
        .request = &result->request,
        .offers = result->offers->offers,
        .offer_count = result->offers->count,
        .now = result->now,
        .sort = sort_of(ask->sort),
        .has_no_digest = !ask->wants_digest && !context->globals.is_json,
        .ranked_wanted = ask->ranked_wanted,
        .book = result->book,
        .gate = ask->gate,
        .keeps_accounts = true,
    });
    return 0;
}

/* Policy and request; result->ask and ->memory are set. */
static int prepare(struct gl_context *context, struct gl_ask_result *result, struct gl_error *err)
{
    const struct gl_ask *ask = result->ask;
    struct ask_memory *memory = result->memory;

    collect_limits(ask, memory);
    describe_threshold(ask, result->threshold);
    result->policy =
        gl_context_policy(context, ask->renewable_only != NULL ? "renewable-only" : "command-line",
                          memory->limits, err);
    if (result->policy == NULL || gl_context_demand_evidence(context, result->policy, err) != 0)
        return -1;
    return collect_request(context, ask, memory, result, err);
}

static int gather_for_plans(struct gl_context *context, struct gl_ask_result *result,
                            struct gl_error *err)
{
    const struct gl_request *request = &result->request;
    GL_AUTO(gl_auto_free) char *prices = gl_refresh_folder(context);
    struct gl_offer_own owns[GL_CONFIG_CLOUDS_MAX];
    const struct gl_offer_options options = {.price_folder = prices,
                                             .owns = owns,
                                             .own_count = gl_refresh_owns(context, owns),
                                             .wants_history = is_promisable(result->policy, false),
                                             .only_asked = true};

    gl_progress_signals(context);
    result->signals = gl_context_signals(context, err);
    result->offers = gl_alloc(sizeof *result->offers);
    if (result->signals == NULL)
        return -1;
    if (request->clouds[0] != NULL && request->types[0] != NULL &&
        gl_offers_gather(request, &options, result->signals, result->offers, err) != 0)
        return -1;
    gl_progress_end(context);
    warn_of_sources(context, result->signals);
    gl_ask_forecast(&result->promises, result->offers, result->now, end_of(request));
    gl_ask_promise(context, false, result);
    return 0;
}

int gl_ask_gather(struct gl_context *context, const struct gl_ask *ask, const char *const *clouds,
                  const char *const *types, struct gl_ask_result *out, struct gl_error *err)
{
    struct gl_ask_result result = {.ask = ask, .memory = gl_alloc(sizeof(struct ask_memory))};

    if (prepare(context, &result, err) == 0) {
        result.request.clouds = clouds;
        result.request.types = types;
        if (gather_for_plans(context, &result, err) == 0) {
            *out = result;
            return 0;
        }
    }
    gl_ask_result_done(&result);
    return -1;
}

int gl_ask_decide(struct gl_context *context, const struct gl_ask *ask, struct gl_ask_result *out,
                  struct gl_error *err)
{
    struct gl_ask_result result = {.ask = ask, .memory = gl_alloc(sizeof(struct ask_memory))};

    if (prepare(context, &result, err) != 0 || gather_and_decide(context, ask, &result, err) != 0) {
        gl_ask_result_done(&result);
        return -1;
    }
    *out = result;
    return 0;
}

struct gl_question gl_ask_question(const struct gl_ask_result *asked)
{
    return (struct gl_question){.policy = asked->policy,
                                .request = &asked->request,
                                .offers = asked->offers->offers,
                                .offer_count = asked->offers->count,
                                .now = asked->now,
                                .book = asked->book,
                                .gate = asked->ask->gate,
                                .keeps_accounts = true};
}

void gl_ask_result_done(struct gl_ask_result *result)
{
    struct ask_memory *memory = result->memory;

    gl_decision_free(result->decision);
    gl_arena_done(&result->promises);
    if (result->offers != NULL)
        gl_offer_list_done(result->offers);
    free(result->offers);
    gl_signal_store_free(result->signals);
    gl_policy_free(result->policy);
    if (memory != NULL) {
        gl_str_done(&memory->joined[0]);
        gl_str_done(&memory->joined[1]);
    }
    free(memory);
    *result = (struct gl_ask_result){0};
}

int gl_verdict_exit(enum gl_verdict verdict)
{
    static const int exits[] = {GL_EXIT_OK, GL_EXIT_LATER, GL_EXIT_REFUSED, GL_EXIT_UNKNOWN};

    return exits[verdict];
}

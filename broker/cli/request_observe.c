/* SPDX-License-Identifier: Apache-2.0 */
/* `request observe` and `request draft`: what is missing where, and texts about it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/cli/request.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define HOUR_MS INT64_C(3600000)

/* ---- shared ---- */

int gl_request_gather(struct gl_request_call *call, struct gl_error *err)
{
    const struct gl_demand_ask ask = {.wants_demo = call->context->is_demo};

    call->clustering = gl_demand_clusters(call->desk.ledger, &ask, err);
    if (call->clustering == NULL)
        return -1;
    call->clusters = gl_clustering_end(call->clustering, &call->cluster_count);
    return 0;
}

const struct gl_cluster *gl_request_cluster(const struct gl_request_call *call, const char *id,
                                            struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    const char **fingerprints = gl_alloc((call->cluster_count + 1) * sizeof *fingerprints);
    size_t found;

    for (size_t i = 0; i < call->cluster_count; i++)
        fingerprints[i] = call->clusters[i].fingerprint;
    if (gl_request_pick(fingerprints, call->cluster_count, id, "demand", &found, err) != 0)
        return NULL;
    return &call->clusters[found];
}

static int64_t short_of(int64_t wanted, int64_t is)
{
    return wanted > is ? wanted - is : 0;
}

/* As gl_cluster_is_due() counts them. */
static int64_t counted(const struct gl_cluster *cluster)
{
    return cluster->launches > cluster->refused ? cluster->launches : cluster->refused;
}

void gl_request_add_missing(const struct gl_request_call *call, const struct gl_cluster *cluster,
                            struct gl_str *out)
{
    int64_t refused = short_of(call->threshold.refused, counted(cluster));
    int64_t days = short_of(call->threshold.days, cluster->days);

    if (gl_demand_is_own(cluster->first)) {
        gl_str_add(out, "own limit");
        return;
    }
    if (refused > 0)
        gl_str_addf(out, "%" PRId64 " more", refused);
    if (days > 0)
        gl_str_addf(out, "%s%" PRId64 " day%s", refused > 0 ? ", " : "", days,
                    days == 1 ? "" : "s");
}

static void early_text(const struct gl_cluster *cluster, int64_t refused, int64_t days,
                       struct gl_str *out)
{
    char id[GL_DEMAND_ID];

    gl_demand_id(cluster->fingerprint, id);
    if (gl_demand_is_own(cluster->first)) {
        gl_str_addf(out,
                    "%s is about limits of your own (places, sizes, prices): there is nothing in "
                    "it for a provider to mend.\n",
                    id);
        return;
    }
    gl_str_addf(out, "%s is not due: it takes ", id);
    if (refused > 0)
        gl_str_addf(out, "%" PRId64 " more refused launch%s", refused, refused == 1 ? "" : "es");
    if (days > 0)
        gl_str_addf(out, "%s%" PRId64 " more day%s", refused > 0 ? " and " : "", days,
                    days == 1 ? "" : "s");
    gl_str_add(out, ".\n");
}

int gl_request_refuse_early(const struct gl_request_call *call, const struct gl_cluster *cluster)
{
    int64_t refused = short_of(call->threshold.refused, counted(cluster));
    int64_t days = short_of(call->threshold.days, cluster->days);
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    early_text(cluster, refused, days, &text);
    gl_render_wrap(gl_str_text(&text), 0, call->context->columns, &call->context->reply.text);
    if (call->context->reply.data == NULL)
        call->context->reply.data = json_object();
    json_object_set_new(call->context->reply.data, "refused_short",
                        json_integer((json_int_t)refused));
    json_object_set_new(call->context->reply.data, "days_short", json_integer((json_int_t)days));
    return GL_EXIT_REFUSED;
}

static bool is_configured(const struct gl_request_call *call, const struct gl_listener *row)
{
    const struct gl_config *config = &call->context->config;

    return gl_config_venue(config, row->provider, row->venue) != NULL ||
           gl_config_venue(config, NULL, row->venue) != NULL;
}

const struct gl_listener *gl_request_listener(const struct gl_request_call *call,
                                              const char *provider)
{
    const char *venue = call->values->venue, *of = gl_demand_area(provider);
    const struct gl_listener *row;
    size_t at = 0;

    while (venue == NULL && (row = gl_listener_next(provider, &at)) != NULL)
        if (row->venue != NULL && (row->of == NULL || strcmp(row->of, of) == 0) &&
            is_configured(call, row))
            return row;
    return gl_listener_for(provider, of, venue, NULL);
}

int gl_request_refuse_demo(const struct gl_context *context, struct gl_error *err)
{
    if (!context->is_demo)
        return 0;
    return gl_fail(err, GL_E_USAGE,
                   "demand of a demonstration is made up: nothing of it is previewed or sent");
}

/* ---- observe ---- */

static const struct gl_column columns[] = {
    {"ID", false, 0},  {"PLACE", false, 0}, {"WANTED", false, 4},  {"REFUSED", true, 0},
    {"DAYS", true, 2}, {"HOURS", true, 3},  {"INSTEAD", false, 0}, {"LOST", true, 0},
    {"CO2E", true, 0}, {"STATE", false, 0},
};

static void state_text(const struct gl_request_call *call, const struct gl_requests *requests,
                       const struct gl_cluster *cluster, struct gl_str *out)
{
    const struct gl_request_record *record = gl_requests_of(requests, cluster->fingerprint);

    if (record != NULL)
        gl_str_add(out, gl_request_state_words[record->state]);
    else if (gl_cluster_is_due(cluster, &call->threshold))
        gl_str_add(out, "due");
    else
        gl_request_add_missing(call, cluster, out);
}

static void place_text(const struct gl_demand *first, struct gl_str *out)
{
    gl_str_addf(out, "%s%s%s", first->provider, first->region[0] != '\0' ? "/" : "", first->region);
}

static void add_row(const struct gl_request_call *call, const struct gl_requests *requests,
                    const struct gl_cluster *cluster, struct gl_table *table)
{
    const struct gl_demand *first = cluster->first;
    GL_AUTO(gl_str_done) struct gl_str place = {0};
    GL_AUTO(gl_str_done) struct gl_str instead = {0};
    GL_AUTO(gl_str_done) struct gl_str lost = {0};
    GL_AUTO(gl_str_done) struct gl_str extra = {0};
    GL_AUTO(gl_str_done) struct gl_str state = {0};
    char id[GL_DEMAND_ID], refused[24], days[24], hours[24];

    gl_demand_id(cluster->fingerprint, id);
    place_text(first, &place);
    snprintf(refused, sizeof refused, "%" PRId64, cluster->refused);
    snprintf(days, sizeof days, "%" PRId64, cluster->days);
    snprintf(hours, sizeof hours, "%" PRId64, (cluster->wanted_ms + HOUR_MS / 2) / HOUR_MS);
    gl_request_instead_cell(cluster, &instead);
    gl_request_lost_cell(cluster, &lost);
    gl_request_extra_cell(cluster, &extra);
    state_text(call, requests, cluster, &state);
    gl_table_row(table, (const char *const[]){
                            id, gl_str_text(&place),
                            gl_demand_is_own(first) ? "-" : gl_capability_words[first->capability],
                            refused, days, hours, gl_str_text(&instead), gl_str_text(&lost),
                            gl_str_text(&extra), gl_str_text(&state)});
}

/* Where it would go, in words. */
static void venue_text(const struct gl_listener *listener, struct gl_str *out)
{
    if (listener == NULL) {
        gl_str_add(out, "nobody is known to listen: a file, or a venue of yours");
        return;
    }
    gl_str_addf(out, "%s%s%s", listener->venue, listener->target != NULL ? " " : "",
                listener->target != NULL ? listener->target : "");
    if (listener->trust != GL_LISTENER_DOCUMENTED)
        gl_str_addf(out, " (%s)", gl_listener_trust_word(listener->trust));
}

static void add_detail(const struct gl_request_call *call, const struct gl_cluster *cluster,
                       struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char id[GL_DEMAND_ID];

    gl_demand_id(cluster->fingerprint, id);
    if (!gl_demand_is_own(cluster->first))
        gl_str_addf(&text, "asks for: %s; ", gl_wish_of(cluster->first->capability)->noun);
    gl_str_add(&text, "rule: ");
    gl_request_add_rule(cluster->first->rule[0] != '\0' ? cluster->first->rule : "none", &text);
    gl_str_add(&text, gl_demand_is_own(cluster->first) ? "" : "; venue: ");
    if (!gl_demand_is_own(cluster->first))
        venue_text(gl_request_listener(call, cluster->first->provider), &text);
    gl_str_add(&text, "; ");
    gl_request_add_cost(cluster, &text);
    gl_str_addf(out, "%s  ", id);
    gl_render_hang(gl_str_text(&text), (unsigned)strlen(id) + 2, call->context->columns, out);
}

static json_t *cluster_json(const struct gl_request_call *call, const struct gl_requests *requests,
                            const struct gl_cluster *cluster)
{
    const struct gl_listener *listener = gl_request_listener(call, cluster->first->provider);
    const struct gl_request_record *record = gl_requests_of(requests, cluster->fingerprint);
    const struct gl_demand *first = cluster->first;
    char id[GL_DEMAND_ID], grade[2] = {gl_grade_letter(cluster->worst_grade), '\0'};

    gl_demand_id(cluster->fingerprint, id);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:I,s:I,s:s,s:s?,s:s?,s:o,s:o}", "id",
        id, "fingerprint", cluster->fingerprint, "provider", first->provider, "region",
        first->region, "capability", gl_capability_words[first->capability], "rule", first->rule,
        "grade", grade, "signals", (json_int_t)cluster->signals, "refused",
        (json_int_t)cluster->refused, "days", (json_int_t)cluster->days, "wanted_ms",
        (json_int_t)cluster->wanted_ms, "gpu_ms", (json_int_t)cluster->gpu_ms, "due",
        gl_cluster_is_due(cluster, &call->threshold), "refused_short",
        (json_int_t)short_of(call->threshold.refused, counted(cluster)), "days_short",
        (json_int_t)short_of(call->threshold.days, cluster->days), "state",
        gl_request_state_words[record != NULL ? record->state : GL_REQUEST_NONE], "venue",
        listener != NULL ? listener->venue : NULL, "target",
        listener != NULL ? listener->target : NULL, "instead", gl_request_instead_json(cluster),
        "cost", gl_request_cost_json(cluster));
}

static void next_of(const struct gl_request_call *call, const struct gl_requests *requests)
{
    char id[GL_DEMAND_ID];

    for (size_t i = 0; i < call->cluster_count; i++) {
        if (!gl_cluster_is_due(&call->clusters[i], &call->threshold) ||
            gl_requests_of(requests, call->clusters[i].fingerprint) != NULL)
            continue;
        gl_demand_id(call->clusters[i].fingerprint, id);
        gl_next(call->context, "read the draft",
                (const char *const[]){"request", "draft", id, NULL});
        return;
    }
}

static int show_all(const struct gl_request_call *call, const struct gl_requests *requests,
                    const struct gl_cluster *only)
{
    struct gl_str *out = &call->context->reply.text;
    struct gl_table *table = gl_table_new(columns, sizeof columns / sizeof columns[0]);
    const struct gl_cluster *end = call->clusters + call->cluster_count;
    json_t *list = json_array();

    for (const struct gl_cluster *at = call->clusters; at < end; at++) {
        if (only != NULL && at != only)
            continue;
        add_row(call, requests, at, table);
        json_array_append_new(list, cluster_json(call, requests, at));
    }
    gl_table_text(table, call->context->columns, call->context->globals.is_accessible, out);
    gl_table_free(table);
    gl_str_add_char(out, '\n');
    for (const struct gl_cluster *at = call->clusters; at < end; at++)
        if (only == NULL || at == only)
            add_detail(call, at, out);
    call->context->reply.data =
        json_pack("{s:{s:I,s:I},s:o}", "threshold", "refused", (json_int_t)call->threshold.refused,
                  "days", (json_int_t)call->threshold.days, "demand", list);
    next_of(call, requests);
    return GL_EXIT_OK;
}

int gl_request_run_observe(struct gl_request_call *call, struct gl_error *err)
{
    GL_AUTO(gl_requests_done) struct gl_requests requests = {0};
    const struct gl_cluster *only = NULL;

    if (gl_request_gather(call, err) != 0 ||
        gl_requests_read(call->desk.ledger, &requests, err) != 0)
        return -1;
    if (call->count > 0 && (only = gl_request_cluster(call, call->words[0], err)) == NULL)
        return -1;
    if (call->cluster_count > 0)
        return show_all(call, &requests, only);
    gl_str_add(&call->context->reply.text, "No unmet demand was recorded.\n");
    call->context->reply.data =
        json_pack("{s:{s:I,s:I},s:[]}", "threshold", "refused", (json_int_t)call->threshold.refused,
                  "days", (json_int_t)call->threshold.days, "demand");
    return GL_EXIT_OK;
}

/* ---- draft ---- */

static bool is_format(const struct gl_request_call *call, const char *format)
{
    return call->values->format != NULL && strcmp(call->values->format, format) == 0;
}

static json_t *text_json(const struct gl_request_text *text, struct gl_error *err)
{
    json_t *document = gl_json_parse(text->json, strlen(text->json), "draft", err);

    return document != NULL ? json_pack("{s:s,s:s,s:s,s:s,s:o}", "title", text->title, "markdown",
                                        text->markdown, "plain", text->plain, "language",
                                        text->language, "document", document)
                            : NULL;
}

void gl_request_show_text(const struct gl_request_call *call, const struct gl_request_text *text,
                          bool has_title, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str whole = {0};

    if (has_title)
        gl_str_addf(&whole, "Title: %s\n\n", text->title);
    gl_str_add(&whole, text->plain);
    gl_render_wrap(gl_str_text(&whole), 0, call->context->columns, out);
}

static void show_draft(const struct gl_request_call *call, const struct gl_request_text *text)
{
    struct gl_str *out = &call->context->reply.text;

    if (out->length > 0)
        gl_str_add(out, "\n");
    if (is_format(call, "json"))
        gl_str_addf(out, "%s\n", text->json);
    else if (is_format(call, "markdown"))
        gl_str_addf(out, "# %s\n\n%s", text->title, text->markdown);
    else if (call->values->format != NULL)
        gl_str_addf(out, "Title: %s\n\n%s", text->title, text->plain);
    else
        gl_request_show_text(call, text, true, out);
}

/* A draft can be read where nothing can be written: that it was is then not known later. */
static int note_draft(const struct gl_request_call *call, const struct gl_cluster *cluster,
                      struct gl_error *err)
{
    struct gl_error why = {0};
    char code[16];

    if (gl_request_note_draft(&call->desk, cluster, &why) == 0)
        return 0;
    if (why.code != GL_E_IO && why.code != GL_E_DISK_FULL)
        return gl_fail(err, why.code, "%s", why.text);
    snprintf(code, sizeof code, "GL%d", (int)why.code);
    gl_warn(call->context, code, "the draft was not noted: %s", why.text);
    return 0;
}

/* One draft more into the reply. */
static int draft_one(struct gl_request_call *call, const struct gl_cluster *cluster,
                     struct gl_error *err)
{
    const struct gl_listener *listener = gl_request_listener(call, cluster->first->provider);
    struct gl_request_text text;
    json_t *json;

    if (gl_request_text_write(cluster, listener, GL_REQUEST_WHOLE, &text, err) != 0)
        return -1;
    show_draft(call, &text);
    json = text_json(&text, err);
    gl_request_text_done(&text);
    if (json == NULL)
        return -1;
    json_array_append_new(json_object_get(call->context->reply.data, "drafts"), json);
    return call->context->is_demo ? 0 : note_draft(call, cluster, err);
}

static int draft_due(struct gl_request_call *call, struct gl_error *err)
{
    size_t drafted = 0;

    for (size_t i = 0; i < call->cluster_count; i++) {
        if (!gl_cluster_is_due(&call->clusters[i], &call->threshold))
            continue;
        if (draft_one(call, &call->clusters[i], err) != 0)
            return -1;
        drafted++;
    }
    if (drafted > 0)
        return GL_EXIT_OK;
    gl_str_addf(
        &call->context->reply.text,
        "Nothing is due: a request takes %" PRId64 " refused launches on %" PRId64 " day%s.\n",
        call->threshold.refused, call->threshold.days, call->threshold.days == 1 ? "" : "s");
    return GL_EXIT_OK;
}

/* Said by its id, what is not due is refused. */
static int draft_named(struct gl_request_call *call, struct gl_error *err)
{
    const struct gl_cluster *cluster = gl_request_cluster(call, call->words[0], err);
    char id[GL_DEMAND_ID];

    if (cluster == NULL)
        return -1;
    if (!gl_cluster_is_due(cluster, &call->threshold))
        return gl_request_refuse_early(call, cluster);
    if (draft_one(call, cluster, err) != 0)
        return -1;
    gl_demand_id(cluster->fingerprint, id);
    gl_next(call->context, "see what would be sent",
            (const char *const[]){"request", "preview", id, NULL});
    return GL_EXIT_OK;
}

int gl_request_run_draft(struct gl_request_call *call, struct gl_error *err)
{
    if (call->count > 0 && call->values->wants_all)
        return gl_fail(err, GL_E_USAGE, "say one request or --all");
    if (gl_request_gather(call, err) != 0)
        return -1;
    call->context->reply.data = json_pack("{s:[]}", "drafts");
    call->context->reply.is_document = is_format(call, "json") && !call->context->is_demo;
    return call->count > 0 ? draft_named(call, err) : draft_due(call, err);
}

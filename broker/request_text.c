/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "policy/policy.h"

#define HOUR_MS INT64_C(3600000)

/* What a text is written from, and how. */
struct page {
    const struct gl_cluster *cluster;
    const struct gl_listener *listener; /* NULL = none */
    const struct gl_wish *wish;
    char tag[GL_VENUE_TAG];
    bool is_plain;
    bool is_bold; /* headings as **these**, as the template has them */
    struct gl_str *out;
};

/* ---- figures ---- */

void gl_request_add_range(int64_t count, struct gl_str *out)
{
    int64_t low, high;

    gl_demand_round(count, &low, &high);
    if (high == 0)
        gl_str_add(out, "none");
    else if (low == high)
        gl_str_addf(out, "%" PRId64, high);
    else
        gl_str_addf(out, "%" PRId64 " to %" PRId64, low, high);
}

/* A started hour counts. */
static int64_t hours_of(int64_t ms)
{
    return ms <= 0 ? 0 : ms / HOUR_MS + (ms % HOUR_MS != 0);
}

static void month_text(int64_t at_ms, char out[16])
{
    int year, month, day, hour, minute, second;

    gl_instant_civil((struct gl_instant){at_ms / 1000}, &year, &month, &day, &hour, &minute,
                     &second);
    snprintf(out, 16, "%04d-%02d", year, month);
}

void gl_request_add_months(const struct gl_cluster *cluster, struct gl_str *out)
{
    char from[16], until[16];

    month_text(cluster->from_ms, from);
    month_text(cluster->until_ms, until);
    gl_str_add(out, from);
    if (strcmp(from, until) != 0)
        gl_str_addf(out, " to %s", until);
}

/* ---- marks ---- */

static void heading(struct page *page, const char *text)
{
    if (page->out->length > 0)
        gl_str_add(page->out, "\n\n");
    gl_str_addf(page->out,
                page->is_plain  ? "%s\n"
                : page->is_bold ? "**%s**\n"
                                : "### %s\n\n",
                text);
}

static void code(struct page *page, const char *text)
{
    gl_str_addf(page->out, page->is_plain ? "\"%s\"" : "`%s`", text);
}

/* As a sentence has it; the document for machines has the normal form. */
static void add_rule(struct page *page)
{
    gl_request_add_rule(page->cluster->first->rule, page->out);
}

/* ---- pieces ---- */

static void add_what(struct page *page)
{
    gl_str_add(page->out, page->wish->what);
}

/* Private clouds have none. */
static void add_region(struct page *page, const char *before)
{
    if (page->cluster->first->region[0] == '\0')
        return;
    gl_str_add(page->out, before);
    code(page, page->cluster->first->region);
}

static void add_service(struct page *page)
{
    const struct gl_demand *first = page->cluster->first;

    gl_str_add(page->out, gl_service_of(first->provider));
    if (first->family[0] != '\0') {
        gl_str_add(page->out, ", such as instances of the family ");
        code(page, first->family);
    } else if (gl_demand_is_public(first->provider)) /* of others no type is ever named */
        gl_str_add(page->out, ", any instance type");
    add_region(page, ", region ");
}

/* What was refused, and what ran and could not be kept as the rule says. */
static void add_launches(const struct gl_cluster *cluster, struct gl_str *out)
{
    int64_t others = cluster->launches - cluster->refused;

    if (cluster->refused > 0) {
        gl_str_add(out, "We had to refuse or hold back ");
        gl_request_add_range(cluster->refused, out);
        gl_str_add(out, " launches");
    }
    if (cluster->refused > 0 && others > 0)
        gl_str_add(out, ", and ");
    if (cluster->refused == 0 || others > 0) {
        gl_str_add(out, cluster->refused > 0 ? "could not keep " : "We could not keep ");
        gl_request_add_range(others, out);
        gl_str_addf(out, "%s within our rule,", cluster->refused > 0 ? "" : " launches");
    }
}

static void add_counts(struct page *page)
{
    const struct gl_cluster *cluster = page->cluster;
    struct gl_str *out = page->out;

    add_launches(cluster, out);
    gl_str_add(out, " on ");
    gl_request_add_range(cluster->days, out);
    gl_str_add(out, " days (");
    gl_request_add_range(hours_of(cluster->wanted_ms), out);
    gl_str_add(out, " instance hours");
    if (cluster->gpu_ms > 0) {
        gl_str_add(out, ", ");
        gl_request_add_range(hours_of(cluster->gpu_ms), out);
        gl_str_add(out, " GPU hours");
    }
    gl_str_add(out, ") in ");
    gl_request_add_months(cluster, out);
    add_region(page, " in ");
    gl_str_addf(out, " because %s", page->wish->because);
    if (cluster->first->rule[0] != '\0') {
        gl_str_add(out, ": ");
        add_rule(page);
    }
    gl_str_addf(out,
                ". Evidence: grade %c at the weakest (A measured, B live grid, C forecast, D "
                "yearly average, E guess), method as the rule says.",
                gl_grade_letter(cluster->worst_grade));
}

/* Limits whose figures are public ones of the grid: unit, and how many millionths make one. */
static const struct {
    enum gl_key_id key;
    const char *unit;
    int64_t scale;
} units[] = {
    {GL_KEY_MAX_INTENSITY, " gCO2e/kWh", 1000000},
    {GL_KEY_MIN_RENEWABLE, "%", 10000},
    {GL_KEY_MIN_CARBON_FREE, "%", 10000},
};

/* The limit and what was found of it, where both are known and of the same key. */
static bool add_limit(const struct gl_cluster *cluster, struct gl_str *out)
{
    int64_t limit_u = cluster->first->limit_u, found_u = cluster->best_found_u;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t half = units[i].scale / 2;

        if ((int)units[i].key != cluster->found_key || cluster->found_key != cluster->first->key ||
            limit_u < 0 || found_u < 0) /* GL_UNKNOWN is */
            continue;
        gl_str_addf(out,
                    " The gap: the limit is %" PRId64 "%s, the best that was found %" PRId64 "%s.",
                    (limit_u + half) / units[i].scale, units[i].unit,
                    (found_u + half) / units[i].scale, units[i].unit);
        return true;
    }
    return false;
}

static void add_gap(struct page *page)
{
    if (!add_limit(page->cluster, page->out))
        gl_str_add(page->out, " The gap: there is no figure that could be held against the "
                              "limit.");
}

static void add_problem(struct page *page)
{
    add_counts(page);
    add_gap(page);
}

static const char *const instead_sentences[GL_INSTEADS] = {
    [GL_INSTEAD_NOTHING] = "did not run",  [GL_INSTEAD_WAITED] = "waited",
    [GL_INSTEAD_MOVED] = "went elsewhere", [GL_INSTEAD_PAUSED] = "were paused",
    [GL_INSTEAD_STOPPED] = "were stopped", [GL_INSTEAD_RAN] = "ran on beyond the rule",
};

static void add_instead(struct page *page)
{
    const struct gl_cluster *cluster = page->cluster;
    struct gl_str *out = page->out;
    size_t said = 0;

    gl_str_add(out, "What became of the launches: ");
    for (size_t i = 0; i < GL_INSTEADS; i++) {
        if (cluster->by_instead[i] <= 0)
            continue;
        gl_str_add(out, said++ > 0 ? ", " : "");
        gl_request_add_range(cluster->by_instead[i], out);
        gl_str_addf(out, " %s", instead_sentences[i]);
    }
    gl_str_add(out, said > 0 ? "." : "not recorded.");
    if (cluster->median_lost_ms != GL_UNKNOWN && cluster->median_lost_ms > 0) {
        gl_str_add(out, " Where it cost time, the median was ");
        gl_request_add_range(hours_of(cluster->median_lost_ms), out);
        gl_str_add(out, " hours.");
    }
    if (cluster->extra_ug != GL_UNKNOWN && cluster->extra_ug >= 1000000) {
        gl_str_add(out, " It cost ");
        gl_request_add_range(cluster->extra_ug / 1000000, out);
        gl_str_add(out, " gCO2e more than the rule would have.");
    }
}

static void add_steps(struct page *page)
{
    gl_str_add(page->out, "These smaller steps would already help, the first one most:\n");
    for (size_t i = 0; i < GL_WISH_STEPS && page->wish->steps[i] != NULL; i++)
        gl_str_addf(page->out, "%s%zu. %s", i > 0 ? "\n" : "", i + 1, page->wish->steps[i]);
}

static void add_precedents(struct page *page)
{
    const struct gl_demand *first = page->cluster->first;
    const struct gl_precedent *row;
    size_t at = 0, said = 0;

    while ((row = gl_precedent_next(first->capability, first->provider, &at)) != NULL)
        gl_str_addf(page->out, "%s- %s: %s", said++ > 0 ? "\n" : "", row->text, row->url);
    if (said == 0)
        gl_str_add(page->out, "We know of no precedent.");
}

static void add_closing(struct page *page)
{
    gl_str_addf(page->out,
                "Drafted with greenlaunch %s for the customer who files it; numbers rounded.",
                page->tag);
}

static void add_context(struct page *page)
{
    add_precedents(page);
    gl_str_add(page->out, "\n\n");
    add_closing(page);
}

static void add_request(struct page *page)
{
    add_what(page);
    gl_str_add(page->out, "\n\n");
    add_steps(page);
}

static void add_story(struct page *page)
{
    const struct gl_demand *first = page->cluster->first;

    gl_str_addf(page->out, "As a customer using %s", gl_service_of(first->provider));
    add_region(page, " in ");
    gl_str_addf(page->out, ", I want the %s so that %s.", page->wish->noun, page->wish->so_that);
}

static void add_use_case(struct page *page)
{
    add_problem(page);
    gl_str_add(page->out, "\n\n");
    add_instead(page);
}

static void add_whole_problem(struct page *page)
{
    add_request(page);
    gl_str_add(page->out, "\n\n");
    add_use_case(page);
    gl_str_add(page->out, "\n\n");
    add_context(page);
}

/* ---- styles: which pieces stand below which headings ---- */

struct section {
    const char *heading; /* NULL = none */
    void (*add)(struct page *page);
};

struct style {
    const char *target; /* of the listener; NULL = of every other */
    const char *title;  /* before the wish, % is the service */
    bool is_bold;
    struct section sections[8];
};

/* github.com/aws/containers-roadmap .github/ISSUE_TEMPLATE/community-request-.md;
 * github.com/ovh/public-cloud-roadmap .github/ISSUE_TEMPLATE/feature_request.md: the shortest
 * possible user story, use case and workaround with it;
 * github.com/heroku/roadmap .github/ISSUE_TEMPLATE/proposal.yml. */
static const struct style styles[] = {
    {"aws/containers-roadmap",
     "[%] [request]: ",
     true,
     {{"Tell us about your request", add_request},
      {"Which service(s) is this request for?", add_service},
      {"Tell us about the problem you're trying to solve. What are you trying to do, and why is "
       "it hard?",
       add_problem},
      {"Are you currently working around this issue?", add_instead},
      {"Additional context", add_context}}},
    {"ovh/public-cloud-roadmap",
     "%: ",
     false,
     {{"User story", add_story},
      {"Acceptance criteria", add_steps},
      {"Use case and workaround", add_use_case},
      {"Context", add_context}}},
    {"heroku/roadmap",
     "%: ",
     false,
     {{"What service(s) is this request for?", add_service},
      {"Tell us about what you're trying to solve. What challenges are you facing?",
       add_whole_problem}}},
    {NULL,
     "%: ",
     false,
     {{"What is asked for", add_what},
      {"For", add_service},
      {"Why", add_problem},
      {"What was done instead", add_instead},
      {"Smaller steps", add_steps},
      {"Precedents", add_context}}},
};

static const struct section comment_sections[] = {
    {NULL, add_use_case}, {NULL, add_closing}, {NULL, NULL}};

static const struct style *style_of(const struct gl_listener *listener)
{
    const struct style *style = styles;

    for (; style->target != NULL; style++)
        if (listener != NULL && listener->target != NULL &&
            strcmp(listener->target, style->target) == 0)
            break;
    return style;
}

static char *write_sections(struct page *page, const struct section *sections, bool is_plain)
{
    struct gl_str out = {.ceiling = GL_VENUE_BODY_MAX};

    page->out = &out;
    page->is_plain = is_plain;
    for (; sections->add != NULL; sections++) {
        if (sections->heading != NULL)
            heading(page, sections->heading);
        else if (out.length > 0)
            gl_str_add(&out, "\n\n");
        sections->add(page);
    }
    gl_str_add_char(&out, '\n');
    return gl_str_take(&out);
}

static void write_title(const struct page *page, const struct style *style,
                        char out[GL_VENUE_TITLE])
{
    const struct gl_demand *first = page->cluster->first;
    GL_AUTO(gl_str_done) struct gl_str title = {.ceiling = GL_VENUE_TITLE - 1};

    for (const char *at = style->title; *at != '\0'; at++)
        if (*at == '%')
            gl_str_add(&title, gl_service_of(first->provider));
        else
            gl_str_add_char(&title, *at);
    gl_str_add(&title, page->wish->noun);
    if (first->region[0] != '\0')
        gl_str_addf(&title, ", %s", first->region);
    snprintf(out, GL_VENUE_TITLE, "%s", gl_str_text(&title));
}

/* ---- for machines ---- */

static json_t *range_json(int64_t count)
{
    int64_t low, high;

    gl_demand_round(count, &low, &high);
    return json_pack("[I,I]", (json_int_t)low, (json_int_t)high);
}

static json_t *months_json(const struct gl_cluster *cluster)
{
    char from[16], until[16];

    month_text(cluster->from_ms, from);
    month_text(cluster->until_ms, until);
    return json_pack("[s,s]", from, until);
}

static json_t *known_json(int64_t value)
{
    return value == GL_UNKNOWN ? json_null() : json_integer((json_int_t)value);
}

static json_t *counts_json(const int64_t *counts, const char *const *words, size_t count)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++)
        if (counts[i] > 0)
            json_object_set_new(object, words[i], range_json(counts[i]));
    return object;
}

static json_t *steps_json(const struct gl_wish *wish)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < GL_WISH_STEPS && wish->steps[i] != NULL; i++)
        json_array_append_new(steps, json_string(wish->steps[i]));
    return steps;
}

static json_t *precedents_json(const struct gl_demand *first)
{
    const struct gl_precedent *row;
    json_t *list = json_array();
    size_t at = 0;

    while ((row = gl_precedent_next(first->capability, first->provider, &at)) != NULL)
        json_array_append_new(list, json_pack("{s:s,s:s}", "text", row->text, "url", row->url));
    return list;
}

static char *write_json(const struct page *page, struct gl_error *err)
{
    const struct gl_cluster *cluster = page->cluster;
    const struct gl_demand *first = cluster->first;
    char grade[2] = {gl_grade_letter(cluster->worst_grade), '\0'};
    GL_AUTO(gl_auto_json)
    json_t *json =
        json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "greenlaunch_request", 1, "id", page->tag,
                  "fingerprint", cluster->fingerprint, "provider", first->provider, "region",
                  first->region, "family", first->family, "capability",
                  gl_capability_words[first->capability], "rule", first->rule);

    json_object_set_new(json, "refused", range_json(cluster->refused));
    json_object_set_new(json, "days", range_json(cluster->days));
    json_object_set_new(json, "instance_hours", range_json(hours_of(cluster->wanted_ms)));
    json_object_set_new(json, "gpu_hours", range_json(hours_of(cluster->gpu_ms)));
    json_object_set_new(json, "months", months_json(cluster));
    json_object_set_new(json, "grade", json_string(grade));
    json_object_set_new(json, "limit_u", known_json(first->limit_u));
    json_object_set_new(json, "best_found_u", known_json(cluster->best_found_u));
    json_object_set_new(json, "by_kind",
                        counts_json(cluster->by_kind, gl_demand_kind_words, GL_DEMAND_KINDS));
    json_object_set_new(json, "instead",
                        counts_json(cluster->by_instead, gl_instead_words, GL_INSTEADS));
    json_object_set_new(json, "median_lost_hours",
                        cluster->median_lost_ms == GL_UNKNOWN
                            ? json_null()
                            : range_json(hours_of(cluster->median_lost_ms)));
    json_object_set_new(json, "asked", json_string(page->wish->noun));
    json_object_set_new(json, "steps", steps_json(page->wish));
    json_object_set_new(json, "precedents", precedents_json(first));
    return gl_json_canonical(json, err);
}

int gl_request_text_write(const struct gl_cluster *cluster, const struct gl_listener *listener,
                          enum gl_request_form form, struct gl_request_text *out,
                          struct gl_error *err)
{
    const struct style *style = style_of(listener);
    const struct section *sections =
        form == GL_REQUEST_COMMENT ? comment_sections : style->sections;
    struct page page = {.cluster = cluster,
                        .listener = listener,
                        .wish = gl_wish_of(cluster->first->capability),
                        .is_bold = style->is_bold};
    struct gl_request_text text = {.language = "en"};

    if (gl_demand_check(cluster->first, err) != 0 ||
        gl_venue_tag(cluster->fingerprint, page.tag, err) != 0)
        return -1;
    text.json = write_json(&page, err);
    if (text.json == NULL)
        return -1;
    text.template_name = listener != NULL ? listener->template_name : NULL;
    write_title(&page, style, text.title);
    text.markdown = write_sections(&page, sections, false);
    text.plain = write_sections(&page, sections, true);
    *out = text;
    return 0;
}

void gl_request_text_done(struct gl_request_text *text)
{
    free(text->markdown);
    free(text->plain);
    free(text->json);
    *text = (struct gl_request_text){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch really cost: the receipt's figures for people and for the envelope. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/account.h"
#include "broker/cli/act.h"
#include "broker/evidence.h"
#include "broker/render/series.h"
#include "broker/render/text.h"

#define NEXT_LINE "\n               "

struct figure {
    const char *label, *unit;
    const json_t *band; /* [low, central, high] or null */
    double scale;       /* to the unit */
    const char *source;
    char grade;
};

static void band_values(const struct figure *figure, double out[3])
{
    for (size_t i = 0; i < 3; i++)
        out[i] = json_is_array(figure->band)
                     ? (double)json_integer_value(json_array_get(figure->band, i)) * figure->scale
                     : NAN;
}

static void show_figure(struct gl_context *context, const struct figure *figure, json_t *data,
                        const char *key)
{
    char text[3][GL_QUANTITY_TEXT];
    double value[3];

    band_values(figure, value);
    json_object_set_new(data, key,
                        gl_quantity_json(&(struct gl_quantity_facts){.value = value[1],
                                                                     .low = value[0],
                                                                     .high = value[2],
                                                                     .unit = figure->unit,
                                                                     .accounting = "location",
                                                                     .grade = figure->grade,
                                                                     .source = figure->source,
                                                                     .age_s = GL_UNKNOWN}));
    if (!json_is_array(figure->band)) {
        gl_str_addf(&context->reply.text, "  %-12s unknown (", figure->label);
        gl_str_add_printable(&context->reply.text, figure->source, strlen(figure->source));
        gl_str_add(&context->reply.text, ")\n");
        return;
    }
    /* Small runs read better in thousandths: 0.00612 gCO2e is 6.12 mgCO2e. */
    bool is_small = value[1] < 0.1;
    for (int i = 0; i < 3; i++)
        gl_number_text(value[i] * (is_small ? 1000 : 1), text[i]);
    gl_str_addf(&context->reply.text, "  %-12s %7s %s%s (low %s, high %s), grade %c\n",
                figure->label, text[1], is_small ? "m" : "", figure->unit, text[0], text[2],
                figure->grade);
    GL_AUTO(gl_str_done) struct gl_str source = {0};
    gl_str_add(&context->reply.text, "               from ");
    gl_str_add_printable(&source, figure->source, strlen(figure->source));
    gl_render_hang(gl_str_text(&source), 20, context->columns, &context->reply.text);
}

static void list_free(struct gl_evidence_list **list)
{
    gl_evidence_list_done(*list);
    free(*list);
}

static const char *worst_evidence(const struct gl_series *series)
{
    enum gl_evidence worst = GL_MEASURED;

    for (size_t i = 0; i < series->count; i++)
        if (gl_grade_of_evidence(series->points[i].evidence) > gl_grade_of_evidence(worst))
            worst = series->points[i].evidence;
    return series->count > 0 ? gl_evidence_word(worst) : "no points";
}

static const json_t *path(const json_t *object, const char *a, const char *b)
{
    const json_t *inner = json_object_get(object, a);

    return b != NULL ? json_object_get(inner, b) : inner;
}

static void add_counted(const struct gl_evidence_list *list, struct gl_str *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct gl_series *series = &list->series[i];
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_str_addf(&text, "%s %s", series->provider, series->dataset);
        gl_render_word(&text, ", ", worst_evidence(series));
        gl_str_addf(&text, ", zone %s", series->zone);
        if (list->is_counted[i] && strstr(gl_str_text(out), gl_str_text(&text)) == NULL)
            gl_str_addf(out, "%s%s", out->length > 0 ? "; " : "", gl_str_text(&text));
    }
}

/* Where the carbon figure comes from: the series that counted, two where the region is disputed,
 * more where it was moved. */
static void intensity_source(const json_t *evidence, struct gl_str *out)
{
    GL_AUTO(list_free) struct gl_evidence_list *list = gl_alloc(sizeof *list);
    GL_AUTO(gl_evidence_moves_done) struct gl_evidence_moves moves = {0};
    const char *zone = json_string_value(path(evidence, "instance", "zone"));
    struct gl_error ignored = {0};

    gl_evidence_list_parse(json_object_get(evidence, "series"), list, &ignored);
    gl_evidence_moves_parse(path(evidence, "instance", "series"), &moves, &ignored);
    add_counted(list, out);
    for (size_t i = 0; i < moves.count; i++)
        add_counted(&moves.items[i].list, out);
    if (out->length == 0)
        gl_str_addf(out, "no carbon intensity known for zone %s", zone != NULL ? zone : "?");
}

static void meter_source(const json_t *derived, char out[96], char *out_grade)
{
    const char *word = json_string_value(path(derived, "meter", "tier"));

    *out_grade = json_string_value(json_object_get(derived, "energy_grade"))[0];
    snprintf(out, 96, "no reading: charged at the high bound");
    for (enum gl_tier tier = GL_TIER_M1; word != NULL && tier <= GL_TIER_S; tier++)
        if (strcmp(word, gl_tier_text(tier)) == 0) {
            snprintf(out, 96, "%" JSON_INTEGER_FORMAT " signed reading%s, %s (tier %s)",
                     json_integer_value(path(derived, "meter", "readings")),
                     json_integer_value(path(derived, "meter", "readings")) == 1 ? "" : "s",
                     tier <= GL_TIER_M2  ? "measured"
                     : tier == GL_TIER_H ? "exported by the host"
                     : tier == GL_TIER_S ? "simulated"
                                         : "modelled",
                     word);
        }
}

/* A text of the document, safe for a terminal: receipts come from anywhere. */
static const char *shown(const json_t *object, const char *key, char out[GL_TEXT_SHOWN])
{
    const char *text = json_string_value(json_object_get(object, key));

    return gl_text_show(text != NULL ? text : "?", out);
}

static void show_head(struct gl_context *context, const json_t *evidence)
{
    char span[GL_QUANTITY_TEXT], words[5][GL_TEXT_SHOWN];
    const json_t *instance = json_object_get(evidence, "instance");
    int64_t run_ms = json_integer_value(json_object_get(instance, "ended_ms")) -
                     json_integer_value(json_object_get(instance, "started_ms"));

    gl_span_text((struct gl_span){(run_ms + 500) / 1000}, span);
    gl_str_addf(&context->reply.text, "Launch %s  %s %s, zone %s, %s, %s\n",
                shown(evidence, "launch", words[0]), shown(instance, "cloud", words[1]),
                shown(instance, "type", words[2]), shown(instance, "zone", words[3]),
                shown(instance, "how", words[4]), span);
}

#define SPANS_SHOWN 12

static void add_span(struct gl_str *out, const json_t *span)
{
    char region[GL_TEXT_SHOWN], zone[GL_TEXT_SHOWN], text[GL_QUANTITY_TEXT];
    int64_t ms = json_integer_value(json_object_get(span, "until_ms")) -
                 json_integer_value(json_object_get(span, "from_ms"));
    const char *known = json_string_value(json_object_get(span, "zone"));

    if (ms < 1000)
        snprintf(text, sizeof text, "%" PRId64 " ms", ms);
    else
        gl_span_text((struct gl_span){(ms + 500) / 1000}, text);
    if (!json_is_true(json_object_get(span, "is_running")))
        gl_str_addf(out, "stood still for %s", text);
    else
        gl_str_addf(out, "%s in %s, zone %s", text, shown(span, "region", region),
                    known != NULL && known[0] != '\0' ? shown(span, "zone", zone) : "unknown");
}

/* When and where it ran, if it was ever paused or moved. */
static void show_spans(struct gl_context *context, const json_t *evidence)
{
    const json_t *spans = path(evidence, "instance", "spans");
    size_t count = json_array_size(spans);
    struct gl_str *out = &context->reply.text;

    for (size_t i = 0; i < count && i < SPANS_SHOWN; i++) {
        gl_str_add(out, i == 0 ? "  ran          " : NEXT_LINE);
        add_span(out, json_array_get(spans, i));
    }
    if (count > SPANS_SHOWN)
        gl_str_addf(out, NEXT_LINE "and %zu stretches more", count - SPANS_SHOWN);
    if (count > 0)
        gl_str_add_char(out, '\n');
}

/* How good the proof of the place is, if there is any (broker/proof.h). */
static void show_place(struct gl_context *context, const json_t *evidence, json_t *data)
{
    static const char *const by[] = {"signed by the cloud for this launch", "signed by the cloud",
                                     "as the cloud's API says", "as the instance says"};
    json_t *proof = json_object_get(json_object_get(evidence, "instance"), "identity");
    const char *grade = json_string_value(json_object_get(proof, "grade"));
    char words[3][GL_TEXT_SHOWN];

    if (grade == NULL || grade[0] < 'A' || grade[0] > 'D')
        return;
    json_object_set(data, "identity", proof);
    gl_str_addf(&context->reply.text, "  place        %s %s, instance %s," NEXT_LINE,
                shown(proof, "provider", words[0]), shown(proof, "region", words[1]),
                shown(proof, "instance", words[2]));
    if (json_object_get(proof, "contradicts") != NULL)
        gl_str_add(&context->reply.text,
                   "IN DOUBT: signed by a cloud, and it contradicts the launch\n");
    else
        gl_str_addf(&context->reply.text, "%s (grade %c)\n", by[grade[0] - 'A'], grade[0]);
}

/* The title of a rule says what should be. */
static void add_flag(struct gl_context *context, const json_t *item)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    const char *result = json_string_value(json_object_get(item, "result"));

    gl_str_addf(&line, "%s does not hold: %s (%s)%s",
                json_string_value(json_object_get(item, "rule")),
                json_string_value(json_object_get(item, "title")),
                json_string_value(json_object_get(item, "note")),
                strcmp(result, "replaced") == 0 ? "; replaced by a bound" : "");
    gl_str_add(&context->reply.text, "  flag         ");
    gl_render_hang(gl_str_text(&line), 15, context->columns, &context->reply.text);
}

/* Before its first reading an instance boots, and nothing can be read of it yet. */
static int64_t boot_ms(const json_t *evidence, const json_t *derived)
{
    const json_t *gap = json_array_get(json_object_get(derived, "gaps"), 0);
    json_int_t started_ms = json_integer_value(path(evidence, "instance", "started_ms"));
    json_int_t from_ms = json_integer_value(json_object_get(gap, "from_ms"));

    return gap != NULL && from_ms == started_ms &&
                   json_integer_value(path(derived, "meter", "readings")) > 0
               ? json_integer_value(json_object_get(gap, "until_ms")) - started_ms
               : 0;
}

static void add_boot(struct gl_context *context, const json_t *item, int64_t ms)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (ms <= 0 || strcmp(json_string_value(json_object_get(item, "rule")), "P10") != 0)
        return;
    gl_str_addf(&line, "%" PRId64 " ms of them before the first reading, while it started", ms);
    gl_str_add(&context->reply.text, "               ");
    gl_render_hang(gl_str_text(&line), 15, context->columns, &context->reply.text);
}

static void show_plausibility(struct gl_context *context, const json_t *evidence,
                              const json_t *derived)
{
    const json_t *list = json_object_get(derived, "plausibility"), *item;
    size_t i, ok = 0, checked = 0;

    json_array_foreach(list, i, item)
    {
        const char *result = json_string_value(json_object_get(item, "result"));

        checked += strcmp(result, "not checked") != 0;
        ok += strcmp(result, "ok") == 0;
        if (strcmp(result, "flagged") != 0 && strcmp(result, "replaced") != 0)
            continue;
        add_flag(context, item);
        add_boot(context, item, boot_ms(evidence, derived));
    }
    gl_str_addf(&context->reply.text, "  plausible    %zu of %zu rules checked hold\n", ok,
                checked);
}

/* ---- the guarantee ---- */

static void add_instant(struct gl_str *out, const json_t *object, const char *key)
{
    char text[GL_INSTANT_TEXT];

    gl_str_add(
        out, gl_instant_text((struct gl_instant){json_integer_value(json_object_get(object, key))},
                             text));
}

/* The first interval at fault, and what was found there against which limit. */
static void add_fault(struct gl_str *out, const json_t *first)
{
    const char *key = json_string_value(json_object_get(first, "key"));
    const json_t *found = json_object_get(first, "found_u");
    char limit[GL_TEXT_SHOWN], rule[GL_TEXT_SHOWN], number[GL_QUANTITY_TEXT];
    bool is_intensity = key != NULL && strcmp(key, "max_intensity") == 0;

    gl_str_add(out, NEXT_LINE);
    add_instant(out, first, "from_s");
    gl_str_add(out, " to ");
    add_instant(out, first, "until_s");
    gl_str_addf(out, NEXT_LINE "%s %s of rule %s: ", key != NULL ? key : "?",
                shown(first, "limit", limit), shown(first, "rule", rule));
    if (!json_is_integer(found)) {
        gl_str_add(out, "no usable evidence");
        return;
    }
    gl_number_text((double)json_integer_value(found) / (is_intensity ? 1e6 : 1e4), number);
    gl_str_addf(out, "found %s %s", number, is_intensity ? "gCO2e/kWh" : "%");
}

/* Receipts of method 1 looked at time and evidence only. */
static void add_reason(struct gl_str *out, const json_t *guarantee)
{
    const json_t *first = json_object_get(guarantee, "first");
    const char *why = json_string_value(json_object_get(guarantee, "why"));

    if (json_is_object(first))
        add_fault(out, first);
    else if (why == NULL)
        gl_str_add(out, NEXT_LINE "by time and evidence alone: its rule is not stated");
    else if (strcmp(why, "time") == 0)
        gl_str_add(out, NEXT_LINE "the run was not within the promised time");
    else if (strcmp(why, "no rule") == 0)
        gl_str_add(out, NEXT_LINE "no limit is stated");
}

/* A promise with a probability is settled on what is measured, in the ledger; else nothing but the
 * figures known at the decision stood behind it. */
static void add_ground(struct gl_str *out, const json_t *stated)
{
    const json_t *ppm = json_object_get(stated, "probability_ppm");
    const char *grade = json_string_value(json_object_get(stated, "grade"));

    if (json_is_integer(ppm))
        gl_str_addf(out,
                    NEXT_LINE
                    "judged by the figures of the decision; the promise (p %.4g %%) is" NEXT_LINE
                    "settled on measured ones: greenlaunch guarantee list",
                    (double)json_integer_value(ppm) / 1e4);
    else
        gl_str_addf(out, NEXT_LINE "by the figures known at the decision (grade %s), no forecast",
                    grade != NULL ? grade : "?");
}

static void show_guarantee(struct gl_context *context, const json_t *evidence,
                           const json_t *derived, json_t *data)
{
    json_t *guarantee = json_object_get(derived, "guarantee");
    const char *state = json_string_value(json_object_get(guarantee, "state"));
    const char *rule = json_string_value(path(evidence, "guarantee", "rule"));
    struct gl_str *out = &context->reply.text;

    json_object_set(data, "guarantee", guarantee != NULL ? guarantee : json_null());
    if (state == NULL)
        return;
    gl_str_addf(out, "  guarantee    %s; promised until ",
                strcmp(state, "breached") == 0 ? "BREACHED" : state);
    add_instant(out, guarantee, "promised_until_s");
    gl_str_add(out, NEXT_LINE);
    gl_str_add_printable(out, rule != NULL ? rule : "?", rule != NULL ? strlen(rule) : 1);
    add_reason(out, guarantee);
    add_ground(out, json_object_get(evidence, "guarantee"));
    gl_str_add_char(out, '\n');
}

/* ---- all of it ---- */

int gl_act_show_receipt(struct gl_context *context, const char *receipt, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *document = gl_json_parse(receipt, strlen(receipt), "receipt", err);
    const json_t *evidence = json_object_get(document, "evidence");
    const json_t *derived = json_object_get(document, "derived");
    const char *grade = json_string_value(json_object_get(derived, "grade"));
    GL_AUTO(gl_str_done) struct gl_str carbon_source = {0};
    char energy_source[96], energy_grade;
    json_t *data;

    if (document == NULL)
        return -1;
    context->is_demo |= json_is_true(json_object_get(evidence, "demo"));
    intensity_source(evidence, &carbon_source);
    meter_source(derived, energy_source, &energy_grade);
    data = context->reply.data != NULL ? context->reply.data : json_object();
    context->reply.data = data;
    show_head(context, evidence);
    show_spans(context, evidence);
    show_place(context, evidence, data);
    const char carbon_grade = grade != NULL && grade[0] != '\0' ? grade[0] : 'E';
    const char *embodied_source = json_string_value(path(evidence, "embodied", "source"));
    const struct {
        const char *key;
        struct figure figure;
    } rows[] = {
        {"energy",
         {"energy", "Wh", path(derived, "footprint", "energy_mj"), 1.0 / 3.6e6, energy_source,
          energy_grade}},
        {"operational",
         {"operational", "gCO2e", path(derived, "footprint", "operational_ug"), 1e-6,
          gl_str_text(&carbon_source), carbon_grade}},
        {"embodied",
         {"embodied", "gCO2e", path(derived, "footprint", "embodied_ug"), 1e-6,
          embodied_source != NULL ? embodied_source : "?", GL_EMBODIED_GRADE}},
        {"total",
         {"total", "gCO2e", path(derived, "footprint", "total_ug"), 1e-6,
          "operational + embodied; SCI per launch", gl_account_total_grade(derived)}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        show_figure(context, &rows[i].figure, data, rows[i].key);
    show_plausibility(context, evidence, derived);
    show_guarantee(context, evidence, derived, data);
    json_object_set(data, "launch", json_object_get(evidence, "launch"));
    json_object_set(data, "receipt", document);
    return 0;
}

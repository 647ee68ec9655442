/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch really cost: the receipt's figures for people and for the envelope. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/account.h"
#include "broker/cli/act.h"

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
    gl_str_add(&context->reply.text, "               from ");
    gl_str_add_printable(&context->reply.text, figure->source, strlen(figure->source));
    gl_str_add_char(&context->reply.text, '\n');
}

static const json_t *path(const json_t *object, const char *a, const char *b)
{
    const json_t *inner = json_object_get(object, a);

    return b != NULL ? json_object_get(inner, b) : inner;
}

/* The first intensity series says where the carbon figure comes from. */
static void intensity_source(const json_t *evidence, char out[128], char *out_grade)
{
    const json_t *series = json_object_get(evidence, "series"), *item;
    size_t i;

    snprintf(out, 128, "no carbon intensity known for zone %s",
             json_string_value(path(evidence, "instance", "zone")));
    *out_grade = 'E';
    json_array_foreach(series, i, item)
    {
        const json_t *point = json_array_get(json_object_get(item, "points"), 0);
        const char *word = json_string_value(json_array_get(point, 5));

        if (strcmp(json_string_value(json_object_get(item, "quantity")), "carbon_intensity") != 0)
            continue;
        snprintf(out, 128, "%s %s, %s, zone %s",
                 json_string_value(json_object_get(item, "provider")),
                 json_string_value(json_object_get(item, "dataset")), word != NULL ? word : "",
                 json_string_value(json_object_get(item, "zone")));
        for (int w = 0; word != NULL && gl_evidence_words[w] != NULL; w++)
            if (strcmp(gl_evidence_words[w], word) == 0)
                *out_grade = gl_grade_letter(gl_grade_of_evidence((enum gl_evidence)w));
        return;
    }
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

static void show_plausibility(struct gl_context *context, const json_t *derived)
{
    const json_t *list = json_object_get(derived, "plausibility"), *item;
    size_t i, ok = 0, checked = 0;

    json_array_foreach(list, i, item)
    {
        const char *result = json_string_value(json_object_get(item, "result"));

        checked += strcmp(result, "not checked") != 0;
        ok += strcmp(result, "ok") == 0;
        if (strcmp(result, "flagged") == 0 || strcmp(result, "replaced") == 0)
            gl_str_addf(&context->reply.text, "  flag         %s %s: %s (%s)\n",
                        json_string_value(json_object_get(item, "rule")), result,
                        json_string_value(json_object_get(item, "title")),
                        json_string_value(json_object_get(item, "note")));
    }
    gl_str_addf(&context->reply.text, "  plausible    %zu of %zu rules checked hold\n", ok,
                checked);
}

int gl_act_show_receipt(struct gl_context *context, const char *receipt, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *document = gl_json_parse(receipt, strlen(receipt), "receipt", err);
    const json_t *evidence = json_object_get(document, "evidence");
    const json_t *derived = json_object_get(document, "derived");
    char carbon_source[128], energy_source[96], carbon_grade, energy_grade;
    json_t *data;

    if (document == NULL)
        return -1;
    context->is_demo |= json_is_true(json_object_get(evidence, "demo"));
    intensity_source(evidence, carbon_source, &carbon_grade);
    meter_source(derived, energy_source, &energy_grade);
    data = context->reply.data != NULL ? context->reply.data : json_object();
    context->reply.data = data;
    show_head(context, evidence);
    const char *embodied_source = json_string_value(path(evidence, "embodied", "source"));
    const struct {
        const char *key;
        struct figure figure;
    } rows[] = {
        {"energy",
         {"energy", "Wh", path(derived, "footprint", "energy_mj"), 1.0 / 3.6e6, energy_source,
          energy_grade}},
        {"operational",
         {"operational", "gCO2e", path(derived, "footprint", "operational_ug"), 1e-6, carbon_source,
          carbon_grade > energy_grade ? carbon_grade : energy_grade}},
        {"embodied",
         {"embodied", "gCO2e", path(derived, "footprint", "embodied_ug"), 1e-6,
          embodied_source != NULL ? embodied_source : "?", 'E'}},
        {"total",
         {"total", "gCO2e", path(derived, "footprint", "total_ug"), 1e-6,
          "operational + embodied; SCI per launch", 'E'}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        show_figure(context, &rows[i].figure, data, rows[i].key);
    show_plausibility(context, derived);
    json_object_set(data, "launch", json_object_get(evidence, "launch"));
    json_object_set(data, "receipt", document);
    return 0;
}

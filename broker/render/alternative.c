/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest alternatives to a refusal, as lines and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/decision.h"
#include "broker/render/promise.h"
#include "broker/render/text.h"

/* How a limit of a dimension is written: millionths times `scale`, with `decimals`, then `unit`. */
static const struct {
    int dim;
    double scale;
    int decimals;
    const char *unit;
} forms[] = {
    {GL_DIM_INTENSITY, 1e-6, 1, " gCO2e/kWh"},
    {GL_DIM_SHARE, 1e-4, 1, "%"},
    {GL_DIM_PRICE, 1e-6, 4, " USD/h"},
    {GL_DIM_MASS_RATE, 1e-6, 3, " gCO2e/h"},
    {GL_DIM_MASS, 1e-6, 3, " gCO2e"},
    {GL_DIM_SIZE, 1e-6 / 1048576, 0, " MiB"},
    {GL_DIM_COUNT, 1e-6, 0, ""},
};

/* The limit that would do, rounded to the loose side, so that typing it in really does. */
static void add_needed(const struct gl_key *key, int64_t needed_u, struct gl_str *out)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        double factor = pow(10, forms[i].decimals);
        double number = (double)needed_u * forms[i].scale * factor;

        if (forms[i].dim != key->dim)
            continue;
        number = key->direction == GL_TIGHTER_UP ? floor(number + 1e-9) : ceil(number - 1e-9);
        gl_str_addf(out, "%.*f%s", forms[i].decimals, number / factor, forms[i].unit);
        return;
    }
}

/* ": green until 14:00 UTC (p 90 %)" of an offer that fits by a promise, without a figure of the
 * run. */
static bool add_promise(const struct gl_question *question, const struct gl_offer *offer,
                        struct gl_str *out)
{
    const struct gl_book_entry *entry = gl_render_promise_of(question, offer);
    double percent = gl_render_promised_percent(question, offer);
    char until[GL_RENDER_UNTIL];

    if (percent <= 0 || entry == NULL || !entry->is_ready)
        return false;
    gl_str_addf(out, "green until %s UTC (p %.4g %%)", gl_render_until(entry, question->now, until),
                percent);
    return true;
}

static void add_figures(const struct gl_question *question, const struct gl_offer *offer,
                        struct gl_str *out)
{
    const struct gl_figure intensity = gl_render_figure(question, offer, GL_INTENSITY);
    const struct gl_figure share = gl_render_figure(question, offer, GL_RENEWABLE_SHARE);
    char number[GL_RENDER_NUMBER], percent[GL_RENDER_NUMBER];

    if (intensity.value_u == GL_UNKNOWN && share.value_u == GL_UNKNOWN &&
        add_promise(question, offer, out))
        return;
    gl_str_addf(out, "%s g/kWh, %s %% renewable, grade %c",
                gl_render_number(intensity.value_u, 1e-6, number),
                gl_render_number(share.value_u, 1e-4, percent), gl_grade_letter(intensity.grade));
}

void gl_render_alternative(const struct gl_question *question, const struct gl_alternative *one,
                           struct gl_str *out)
{
    const struct gl_offer *offer = &question->offers[one->offer];
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    switch (one->kind) {
    case GL_ALT_PLACE:
        gl_str_addf(out, "place   %s/%s/%s fits now: ", offer->place->cloud, offer->place->region,
                    offer->type->name);
        add_figures(question, offer, out);
        break;
    case GL_ALT_TIME:
        gl_str_addf(out, "time    %s/%s/%s fits from %s for %s", offer->place->cloud,
                    offer->place->region, offer->type->name, gl_instant_text(one->start, at),
                    gl_span_text(one->duration, span));
        if (gl_render_promised_percent(question, offer) > 0)
            gl_str_addf(out, ", promised with %.4g %% by today's forecast",
                        gl_render_promised_percent(question, offer));
        break;
    case GL_ALT_SIZE:
        gl_str_addf(out, "size    %s/%s/%s fits now for %s", offer->place->cloud,
                    offer->place->region, offer->type->name, gl_span_text(one->duration, span));
        break;
    case GL_ALT_LOOSER:
        gl_str_addf(out, "looser  %s ", one->constraint->key->name);
        add_needed(one->constraint->key, one->needed_u, out);
        gl_str_addf(out, " would allow %s/%s/%s", offer->place->cloud, offer->place->region,
                    offer->type->name);
        break;
    }
}

static json_t *alternative_json(const struct gl_question *question,
                                const struct gl_alternative *one)
{
    static const char *const words[] = {"place", "time", "size", "looser"};
    const struct gl_offer *offer = &question->offers[one->offer];
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str limit = {0};
    char at[GL_INSTANT_TEXT];
    json_t *object;

    gl_render_alternative(question, one, &text);
    object = json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", words[one->kind], "cloud",
                       offer->place->cloud, "region", offer->place->region, "type",
                       offer->type->name, "text", gl_str_text(&text));
    if (one->kind == GL_ALT_LOOSER) {
        add_needed(one->constraint->key, one->needed_u, &limit);
        json_object_set_new(object, "key", json_string(one->constraint->key->name));
        json_object_set_new(object, "limit", json_string(gl_str_text(&limit)));
    } else {
        json_object_set_new(object, "start", json_string(gl_instant_text(one->start, at)));
        json_object_set_new(object, "duration_s", json_integer(one->duration.s));
    }
    return object;
}

json_t *gl_render_alternatives_json(const struct gl_question *question,
                                    const struct gl_decision *decision)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->alternative_count; i++)
        json_array_append_new(list, alternative_json(question, &decision->alternatives[i]));
    return list;
}

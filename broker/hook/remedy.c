/* SPDX-License-Identifier: Apache-2.0 */
/* What would be allowed near a launch that is not: elsewhere, later, smaller. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/hook/judge_part.h"

#define REMEDIES 3

/* ---- families of types ---- */

/* Where the size stands in a type's name. */
static const struct {
    const char *cloud;
    enum { AFTER_DOT, FIRST_DIGITS, LAST_PART } size;
} families[] = {
    {"aws", AFTER_DOT},
    {"azure", FIRST_DIGITS},
    {NULL, LAST_PART},
};

static bool put_family(const char *type, size_t before, size_t after, char out[GL_HOOK_FAMILY])
{
    int length = snprintf(out, GL_HOOK_FAMILY, "%.*s*%s", (int)before, type, type + after);

    return before > 0 && length > 0 && length < GL_HOOK_FAMILY;
}

bool gl_hook_family(const char *cloud, const char *type, char out[GL_HOOK_FAMILY])
{
    size_t length = strlen(type), row = 0, at;
    const char *cut;

    while (families[row].cloud != NULL && strcmp(families[row].cloud, cloud) != 0)
        row++;
    if (!gl_hook_is_plain(type))
        return false;
    switch (families[row].size) {
    case AFTER_DOT:
        cut = strchr(type, '.');
        return cut != NULL && put_family(type, (size_t)(cut - type) + 1, length, out);
    case FIRST_DIGITS:
        at = strcspn(type, "0123456789");
        return at < length && put_family(type, at, at + strspn(type + at, "0123456789"), out);
    case LAST_PART:
        break;
    }
    cut = strrchr(type, '-');
    if (cut != NULL)
        return put_family(type, (size_t)(cut - type) + 1, length, out);
    for (at = length; at > 0 && type[at - 1] >= '0' && type[at - 1] <= '9';)
        at--;
    return at < length && put_family(type, at, length, out);
}

/* ---- what it would save ---- */

/* "in eu-north-1: -12 kgCO2e and +3 USD a month". */
static const char *sentence_of(const struct gl_hook_judge *judge, const char *what,
                               const struct gl_remedy *remedy)
{
    double kg = -remedy->saved_g_per_month[1] / 1000, usd = remedy->extra_usd_per_month;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (isnan(kg) && isnan(usd))
        gl_str_addf(&text, "%s: emissions and price not known", what);
    else if (isnan(kg))
        gl_str_addf(&text, "%s: %+.3g USD a month, emissions not known", what, usd);
    else if (isnan(usd))
        gl_str_addf(&text, "%s: %+.3g kgCO2e a month, price not known", what, kg);
    else
        gl_str_addf(&text, "%s: %+.3g kgCO2e and %+.3g USD a month", what, kg, usd);
    return gl_hook_text(judge->arena, &text);
}

static void compare(const struct gl_judgement *is, const struct gl_judgement *would,
                    struct gl_remedy *out)
{
    for (unsigned i = 0; i < 3; i++) {
        double was = (double)is->grams_per_h[i], then = (double)would->grams_per_h[i];

        out->saved_g_per_month[i] =
            was >= 0 && then >= 0 ? (was - then) * GL_HOOK_MONTH_H : (double)NAN;
    }
    if (out->saved_g_per_month[0] > out->saved_g_per_month[2]) {
        double least = out->saved_g_per_month[2];

        out->saved_g_per_month[2] = out->saved_g_per_month[0];
        out->saved_g_per_month[0] = least;
    }
}

static double extra_price(const struct gl_offer *is, const struct gl_offer *would, int64_t count)
{
    if (is->price_u_usd_per_h == GL_UNKNOWN || would->price_u_usd_per_h == GL_UNKNOWN ||
        count == GL_UNKNOWN)
        return (double)NAN;
    return (double)(would->price_u_usd_per_h - is->price_u_usd_per_h) / 1e6 * (double)count *
           GL_HOOK_MONTH_H;
}

/* A question about one case: the offer as planned first, then what else there is. */
struct near {
    struct gl_hook_judge *judge;
    const struct gl_hook_case *one;
    struct gl_offer *offers;
    size_t count;
    struct gl_question question;
    struct gl_judgement is;
    struct gl_hook_kind *kind;
};

static struct gl_remedy *add_remedy(struct near *near, const struct gl_remedy *remedy)
{
    struct gl_hook_kind *kind = near->kind;

    if (kind->remedies == NULL)
        kind->remedies = gl_arena_take(near->judge->arena, REMEDIES * sizeof *kind->remedies);
    if (kind->remedy_count == REMEDIES)
        return NULL;
    kind->remedies[kind->remedy_count] = *remedy;
    return &kind->remedies[kind->remedy_count++];
}

static void add_place(struct near *near, const struct gl_alternative *found)
{
    const struct gl_offer *offer = &near->offers[found->offer];
    struct gl_remedy remedy = {.kind = GL_ALT_PLACE,
                               .region = offer->place->region,
                               .cloud = offer->place->cloud,
                               .type = offer->type->name};
    struct gl_judgement would;
    GL_AUTO(gl_str_done) struct gl_str what = {0};

    gl_judge_one(&near->question, found->offer, &would);
    compare(&near->is, &would, &remedy);
    remedy.extra_usd_per_month = extra_price(near->offers, offer, near->kind->count);
    gl_str_addf(&what, "in %s", offer->place->region);
    remedy.sentence = sentence_of(near->judge, gl_str_text(&what), &remedy);
    add_remedy(near, &remedy);
}

static void add_time(struct near *near, const struct gl_alternative *found)
{
    const struct gl_offer *offer = near->offers;
    struct gl_remedy remedy = {.kind = GL_ALT_TIME,
                               .region = offer->place->region,
                               .cloud = offer->place->cloud,
                               .type = offer->type->name,
                               .start = found->start,
                               .saved_g_per_month = {(double)NAN, (double)NAN, (double)NAN},
                               .extra_usd_per_month = 0};
    struct gl_request later = near->one->request;
    struct gl_question question = near->question;
    struct gl_judgement would;
    char at[GL_INSTANT_TEXT];
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    later.start = later.latest_start = found->start;
    question.request = &later;
    gl_judge_one(&question, 0, &would);
    gl_str_addf(&text, "from %s on", gl_instant_text(found->start, at));
    if (near->is.grams_per_h[1] >= 0 && would.grams_per_h[1] >= 0)
        gl_str_addf(&text, ": %.3g g/h in place of %.3g", (double)would.grams_per_h[1],
                    (double)near->is.grams_per_h[1]);
    remedy.sentence = gl_hook_text(near->judge->arena, &text);
    add_remedy(near, &remedy);
}

/* Types of the family in the same region, the largest that is allowed first. */
static void find_size(struct near *near)
{
    const struct gl_hook_judge *judge = near->judge;
    const struct gl_offer *is = near->offers, *best = NULL;
    struct gl_remedy remedy = {.kind = GL_ALT_SIZE};
    struct gl_hook_case smaller = *near->one;
    struct gl_judgement would;
    char family[GL_HOOK_FAMILY];
    GL_AUTO(gl_str_done) struct gl_str what = {0};

    if (!gl_hook_family(is->place->cloud, is->type->name, family))
        return;
    for (size_t i = 0; i < judge->offer_count; i++) {
        const struct gl_offer *offer = &judge->offers[i];
        struct gl_question question = near->question;

        if (offer->type->vcpus == 0 || offer->type->vcpus >= is->type->vcpus ||
            (best != NULL && offer->type->vcpus <= best->type->vcpus) ||
            strcmp(offer->place->cloud, is->place->cloud) != 0 ||
            strcmp(offer->place->region, is->place->region) != 0 ||
            !gl_glob_match(family, offer->type->name))
            continue;
        question.offers = offer;
        question.offer_count = 1;
        gl_hook_case_of(judge, near->one->intent, near->one->plan, (uint32_t)i, &smaller);
        question.request = &smaller.request;
        gl_judge_one(&question, 0, &would);
        if (would.outcome != GL_SATISFIED)
            continue;
        best = offer;
        compare(&near->is, &would, &remedy);
    }
    if (best == NULL)
        return;
    remedy.region = best->place->region;
    remedy.cloud = best->place->cloud;
    remedy.type = best->type->name;
    remedy.extra_usd_per_month = extra_price(is, best, near->kind->count);
    gl_str_addf(&what, "as %s", best->type->name);
    remedy.sentence = sentence_of(judge, gl_str_text(&what), &remedy);
    add_remedy(near, &remedy);
}

/* The same machine where else it is sold. */
static void gather_near(struct near *near)
{
    const struct gl_hook_judge *judge = near->judge;
    const struct gl_offer *is = &judge->offers[near->one->offer];
    const struct gl_hook_ask *ask = judge->ask;

    near->offers = gl_alloc((judge->offer_count + ask->place_count + 1) * sizeof *near->offers);
    near->offers[near->count++] = *is;
    for (size_t i = 0; i < judge->offer_count; i++)
        if (i != near->one->offer && is->type->name[0] != '\0' &&
            strcmp(judge->offers[i].type->name, is->type->name) == 0 &&
            strcmp(judge->offers[i].place->cloud, is->place->cloud) == 0)
            near->offers[near->count++] = judge->offers[i];
}

/* Places for a machine without offers of its own. */
static void gather_places(struct near *near)
{
    const struct gl_hook_ask *ask = near->judge->ask;
    const struct gl_offer *is = near->offers;

    if (near->count > 1)
        return;
    for (size_t i = 0; i < ask->place_count; i++) {
        const struct gl_hook_place *place = &ask->places[i];
        struct gl_offer *offer = &near->offers[near->count];

        if (strcmp(place->cloud, is->place->cloud) != 0 ||
            strcmp(place->is.region, place->region) != 0 ||
            strcmp(place->region, is->place->region) == 0)
            continue;
        *offer = (struct gl_offer){.place = &place->is,
                                   .type = is->type,
                                   .price_u_usd_per_h = GL_UNKNOWN,
                                   .price_source = ""};
        near->count++;
    }
}

void gl_hook_remedies(struct gl_hook_judge *judge, const struct gl_hook_case *one,
                      struct gl_hook_kind *kind)
{
    struct near near = {.judge = judge, .one = one, .kind = kind};
    struct gl_decision *decision;
    bool has_place = false, has_time = false;

    gather_near(&near);
    gather_places(&near);
    near.question = gl_hook_question(judge, one, near.offers, near.count);
    gl_judge_one(&near.question, 0, &near.is);
    if (near.is.grams_per_h[1] < 0) /* of a machine that is not known no grams are, anywhere */
        near.question.sort = GL_SORT_INTENSITY;
    decision = gl_decide(&near.question);
    for (size_t i = 0; i < decision->alternative_count; i++) {
        const struct gl_alternative *found = &decision->alternatives[i];

        if (found->kind == GL_ALT_PLACE && !has_place && found->offer != 0)
            add_place(&near, found);
        if (found->kind == GL_ALT_TIME && !has_time)
            add_time(&near, found);
        has_place = has_place || found->kind == GL_ALT_PLACE;
        has_time = has_time || found->kind == GL_ALT_TIME;
    }
    if (decision->verdict == GL_LATER && one->intent->place.candidates == NULL &&
        one->intent->machine.candidates == NULL)
        kind->verdict = GL_LATER;
    find_size(&near);
    gl_decision_free(decision);
    free(near.offers);
}

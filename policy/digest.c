/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <stdlib.h>
#include <string.h>

/* One canonical byte form of a decision: integers little-endian, texts with their length, offers
 * sorted by their own bytes (cloud, region, type first), so that the order they came in is gone. */

#define FORM       "greenlaunch decision 1"
#define FORM_PIECE 32768 /* hashed at a time */

/* At most eight numbers at once. */
static void put_numbers(struct gl_str *out, const uint64_t *values, size_t count)
{
    unsigned char bytes[8 * 8];

    for (size_t i = 0; i < 8 * count; i++)
        bytes[i] = (unsigned char)(values[i / 8] >> (8 * (i % 8)));
    gl_str_add_bytes(out, bytes, 8 * count);
}

static void put_u64(struct gl_str *out, uint64_t value)
{
    put_numbers(out, &value, 1);
}

static void put_i64(struct gl_str *out, int64_t value)
{
    put_u64(out, (uint64_t)value);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A missing text differs from an empty one. */
static void put_text(struct gl_str *out, const char *text)
{
    put_u64(out, text != NULL ? strlen(text) + 1 : 0);
    if (text != NULL)
        gl_str_add(out, text);
}

static void put_texts(struct gl_str *out, const char *const *texts)
{
    size_t count = 0;

    while (texts != NULL && texts[count] != NULL)
        count++;
    put_u64(out, count);
    for (size_t i = 0; i < count; i++)
        put_text(out, texts[i]);
}

static void put_request(struct gl_str *out, const struct gl_request *request)
{
    put_i64(out, request->duration.s);
    put_i64(out, request->start.unix_s);
    put_i64(out, request->latest_start.unix_s);
    put_u64(out, bits_of(request->load));
    put_u64(out, request->count);
    put_u64(out, request->min_vcpus);
    put_u64(out, request->max_vcpus);
    put_u64(out, request->min_memory_mib);
    put_u64(out, request->max_memory_mib);
    put_text(out, request->gpu);
    put_text(out, request->arch);
    put_texts(out, request->clouds);
    put_texts(out, request->regions);
    put_texts(out, request->types);
    put_texts(out, request->tags);
}

static void put_reason(struct gl_str *out, const struct gl_reason *reason)
{
    put_u64(out, (uint64_t)reason->outcome);
    put_text(out, reason->rule != NULL ? reason->rule->id : NULL);
    put_text(out, reason->constraint != NULL ? reason->constraint->key->name : NULL);
    put_u64(out, (uint64_t)reason->gap);
    put_i64(out, reason->found_u);
    put_text(out, reason->waiver != NULL ? reason->waiver->target : NULL);
}

/* The name comes first, each part ended by NUL, so that sorting the bytes sorts by name. */
static void put_judgement(struct gl_str *out, const struct gl_offer *offer,
                          const struct gl_judgement *judgement)
{
    const uint64_t numbers[] = {
        (uint64_t)offer->price_u_usd_per_h,
        (uint64_t)judgement->outcome,
        (uint64_t)(judgement->has_warning | judgement->is_pareto << 1),
        judgement->grade,
    };
    uint64_t grams[6];

    gl_str_add_bytes(out, offer->place->cloud, strlen(offer->place->cloud) + 1);
    gl_str_add_bytes(out, offer->place->region, strlen(offer->place->region) + 1);
    gl_str_add_bytes(out, offer->type->name, strlen(offer->type->name) + 1);
    put_numbers(out, numbers, 4);
    put_reason(out, &judgement->reason);
    for (unsigned i = 0; i < 3; i++) {
        grams[2 * i] = bits_of((double)judgement->grams_per_h[i]);
        grams[2 * i + 1] = bits_of((double)judgement->grams_total[i]);
    }
    put_numbers(out, grams, 6);
}

/* What is sorted: offers by name, and of one name by their whole form. */
struct order {
    const struct gl_question *question;
    const struct gl_decision *decision;
    uint32_t *offers, *spare;
};

static int compare_forms(const struct order *order, uint32_t a, uint32_t b)
{
    GL_AUTO(gl_str_done) struct gl_str left = {0};
    GL_AUTO(gl_str_done) struct gl_str right = {0};
    const struct gl_offer *offers = order->question->offers;
    size_t common;
    int result;

    put_judgement(&left, &offers[a], &order->decision->judgements[a]);
    put_judgement(&right, &offers[b], &order->decision->judgements[b]);
    common = left.length < right.length ? left.length : right.length;
    result = memcmp(left.text, right.text, common);
    return result != 0 ? result : (left.length > right.length) - (left.length < right.length);
}

/* Tables come sorted, so the same cloud and region are mostly the very same text. */
static int compare_names(const char *a, const char *b)
{
    return a == b ? 0 : strcmp(a, b);
}

static int compare(const struct order *order, uint32_t left, uint32_t right)
{
    const struct gl_offer *a = &order->question->offers[left];
    const struct gl_offer *b = &order->question->offers[right];
    int result = compare_names(a->place->cloud, b->place->cloud);

    if (result == 0)
        result = compare_names(a->place->region, b->place->region);
    if (result == 0)
        result = compare_names(a->type->name, b->type->name);
    return result != 0 ? result : compare_forms(order, left, right);
}

/* End of the run that is in order from `first` on. */
static size_t run_end(const struct order *order, size_t first, size_t count)
{
    size_t end = first + 1;

    while (end < count && compare(order, order->offers[end - 1], order->offers[end]) <= 0)
        end++;
    return end < count ? end : count;
}

static void merge(struct order *order, size_t first, size_t middle, size_t end)
{
    size_t left = first, right = middle;

    for (size_t i = first; i < end; i++)
        if (right == end ||
            (left < middle && compare(order, order->offers[left], order->offers[right]) <= 0))
            order->spare[i] = order->offers[left++];
        else
            order->spare[i] = order->offers[right++];
    memcpy(order->offers + first, order->spare + first, (end - first) * sizeof *order->offers);
}

/* Merge neighbouring runs until there is one: a table that comes nearly sorted is looked at twice.
 */
static void sort_offers(struct order *order, size_t count)
{
    bool is_sorted = false;

    while (!is_sorted) {
        is_sorted = true;
        for (size_t first = 0; first < count;) {
            size_t middle = run_end(order, first, count);
            size_t end = middle < count ? run_end(order, middle, count) : count;

            if (middle < count)
                merge(order, first, middle, end);
            is_sorted = is_sorted && end == count && first == 0;
            first = end;
        }
    }
}

/* Hash what is in `form` and empty it. */
static void hash_form(struct gl_hasher *hasher, struct gl_str *form)
{
    gl_hasher_add(hasher, gl_str_text(form), form->length);
    gl_str_clear(form);
}

void gl_decision_digest(const struct gl_question *question, struct gl_decision *decision,
                        uint32_t *out_name_rank)
{
    size_t count = question->offer_count;
    struct order order = {.question = question, .decision = decision};
    GL_AUTO(gl_str_done) struct gl_str form = {.ceiling = SIZE_MAX / 2};
    struct gl_hasher hasher;

    order.offers = gl_alloc(count * sizeof *order.offers);
    order.spare = gl_alloc(count * sizeof *order.spare);
    for (size_t i = 0; i < count; i++)
        order.offers[i] = (uint32_t)i;
    sort_offers(&order, count);
    gl_hasher_init(&hasher);
    gl_str_add_bytes(&form, FORM, sizeof FORM);
    if (question->policy != NULL)
        gl_str_add_bytes(&form, question->policy->digest.bytes, GL_HASH_BYTES);
    put_request(&form, question->request);
    put_i64(&form, question->now.unix_s);
    put_u64(&form, (uint64_t)question->sort);
    put_u64(&form, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t offer = order.offers[i];

        put_judgement(&form, &question->offers[offer], &decision->judgements[offer]);
        if (form.length >= FORM_PIECE)
            hash_form(&hasher, &form);
        out_name_rank[offer] = (uint32_t)i;
    }
    hash_form(&hasher, &form);
    gl_hasher_end(&hasher, &decision->digest);
    free(order.offers);
    free(order.spare);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <stdlib.h>
#include <string.h>

/* One canonical byte form of a decision: integers little-endian, texts with their length, offers
 * sorted by their own bytes (cloud, region, type first), so that the order they came in is gone. */

#define FORM "greenlaunch decision 1"

struct record {
    const char *bytes;
    size_t offset, length;
    uint32_t offer;
};

static void put_u64(struct gl_str *out, uint64_t value)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    gl_str_add_bytes(out, bytes, sizeof bytes);
}

static void put_i64(struct gl_str *out, int64_t value)
{
    put_u64(out, (uint64_t)value);
}

static void put_real(struct gl_str *out, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_u64(out, bits);
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
    put_real(out, request->load);
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
    gl_str_add_bytes(out, offer->cloud, strlen(offer->cloud) + 1);
    gl_str_add_bytes(out, offer->region, strlen(offer->region) + 1);
    gl_str_add_bytes(out, offer->type, strlen(offer->type) + 1);
    put_i64(out, offer->price_u_usd_per_h);
    put_u64(out, (uint64_t)judgement->outcome);
    put_u64(out, (uint64_t)(judgement->has_warning | judgement->is_pareto << 1));
    put_u64(out, judgement->grade);
    put_reason(out, &judgement->reason);
    for (unsigned i = 0; i < 3; i++) {
        put_real(out, (double)judgement->grams_per_h[i]);
        put_real(out, (double)judgement->grams_total[i]);
    }
}

static int compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    size_t common = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->bytes + a->offset, b->bytes + b->offset, common);

    if (order != 0)
        return order;
    return (a->length > b->length) - (a->length < b->length);
}

static struct record *sorted_records(const struct gl_question *question,
                                     const struct gl_decision *decision, struct gl_str *bytes)
{
    struct record *records = gl_alloc(question->offer_count * sizeof *records);

    for (size_t i = 0; i < question->offer_count; i++) {
        records[i] = (struct record){.offset = bytes->length, .offer = (uint32_t)i};
        put_judgement(bytes, &question->offers[i], &decision->judgements[i]);
        records[i].length = bytes->length - records[i].offset;
    }
    for (size_t i = 0; i < question->offer_count; i++)
        records[i].bytes = bytes->text;
    qsort(records, question->offer_count, sizeof *records, compare_records);
    return records;
}

void gl_decision_digest(const struct gl_question *question, struct gl_decision *decision,
                        uint32_t *out_name_rank)
{
    struct gl_str bytes = {.ceiling = SIZE_MAX / 2}, form = {.ceiling = SIZE_MAX / 2};
    struct record *records = sorted_records(question, decision, &bytes);

    gl_str_add_bytes(&form, FORM, sizeof FORM);
    if (question->policy != NULL)
        gl_str_add_bytes(&form, question->policy->digest.bytes, GL_HASH_BYTES);
    put_request(&form, question->request);
    put_i64(&form, question->now.unix_s);
    put_u64(&form, (uint64_t)question->sort);
    put_u64(&form, question->offer_count);
    for (size_t i = 0; i < question->offer_count; i++) {
        gl_str_add_bytes(&form, bytes.text + records[i].offset, records[i].length);
        out_name_rank[records[i].offer] = (uint32_t)i;
    }
    gl_hash_of(gl_str_text(&form), form.length, &decision->digest);
    free(records);
    gl_str_done(&bytes);
    gl_str_done(&form);
}

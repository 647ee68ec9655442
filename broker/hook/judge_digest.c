/* SPDX-License-Identifier: Apache-2.0 */
/* What a report is known by: hashes over sets, so that the order of resources is gone. */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/judge_part.h"

#define PIECE 65536 /* hashed at a time: long messages are faster */

/* A canonical text on its way into a hash: integers little-endian, texts with their NUL. */
struct form {
    struct gl_hasher hasher;
    char *piece; /* of PIECE bytes; NULL: not hashed, but kept to be compared */
    size_t length;
    struct gl_str kept;
};

static void form_open(struct form *form)
{
    *form = (struct form){.piece = gl_alloc(PIECE)};
    gl_hasher_init(&form->hasher);
}

static void flush(struct form *form)
{
    gl_hasher_add(&form->hasher, form->piece, form->length);
    form->length = 0;
}

static void form_close(struct form *form, struct gl_hash *out)
{
    flush(form);
    gl_hasher_end(&form->hasher, out);
    free(form->piece);
}

/* What no piece has room for, or is kept. */
static void add_long(struct form *form, const void *bytes, size_t length)
{
    if (form->piece == NULL) {
        gl_str_add_bytes(&form->kept, bytes, length);
        return;
    }
    flush(form);
    gl_hasher_add(&form->hasher, bytes, length);
}

static inline void add_bytes(struct form *form, const void *bytes, size_t length)
{
    if (form->piece == NULL || length > PIECE - form->length) {
        add_long(form, bytes, length);
        return;
    }
    memcpy(form->piece + form->length, bytes, length);
    form->length += length;
}

static void add_word(struct form *form, const char *text)
{
    char is_said = text != NULL ? 1 : 0;

    add_bytes(form, &is_said, 1);
    if (text != NULL)
        add_bytes(form, text, strlen(text) + 1);
}

static void add_words(struct form *form, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++)
        add_word(form, *words);
    add_word(form, NULL);
}

static void add_number(struct form *form, int64_t number)
{
    uint64_t bytes = htole64((uint64_t)number);

    add_bytes(form, &bytes, sizeof bytes);
}

static void add_real(struct form *form, double real)
{
    int64_t bits = GL_UNKNOWN;

    if (!isnan(real))
        memcpy(&bits, &real, sizeof bits);
    add_number(form, bits);
}

static void add_side(struct form *form, const struct gl_intent_place *place,
                     const struct gl_intent_machine *machine, const struct gl_intent_count *count)
{
    add_word(form, place != NULL ? place->region : NULL);
    add_words(form, place != NULL ? place->candidates : NULL);
    add_word(form, machine != NULL ? machine->type : NULL);
    add_word(form, machine != NULL ? machine->catalogue : NULL);
    add_words(form, machine != NULL ? machine->candidates : NULL);
    add_number(form, machine != NULL ? machine->vcpus_u : GL_UNKNOWN);
    add_number(form, machine != NULL ? machine->memory_mib : GL_UNKNOWN);
    add_number(form, count != NULL ? count->min : GL_UNKNOWN);
    add_number(form, count != NULL ? count->desired : GL_UNKNOWN);
    add_number(form, count != NULL ? count->max : GL_UNKNOWN);
    add_word(form, count != NULL ? count->unit : NULL);
}

static void add_intent(struct form *form, const struct gl_intent *intent)
{
    add_word(form, intent->address);
    add_word(form, intent->cloud);
    add_word(form, intent->type);
    add_number(form, intent->role);
    add_number(form, intent->change);
    add_number(form, intent->is_launch);
    add_side(form, &intent->place, &intent->machine, &intent->count);
    add_side(form, intent->place_before, intent->machine_before, intent->count_before);
    add_number(form, intent->interruptible);
    add_number(form, intent->duration_s);
    add_words(form, intent->tags);
}

/* ---- the order of intents ---- */

static int compare_forms(const struct gl_intent *a, const struct gl_intent *b)
{
    struct form left = {.piece = NULL}, right = {.piece = NULL};
    size_t common;
    int order;

    add_intent(&left, a);
    add_intent(&right, b);
    common = left.kept.length < right.kept.length ? left.kept.length : right.kept.length;
    order = memcmp(left.kept.text, right.kept.text, common);
    if (order == 0)
        order = (left.kept.length > common) - (right.kept.length > common);
    gl_str_done(&left.kept);
    gl_str_done(&right.kept);
    return order;
}

int gl_hook_compare_intents(const struct gl_intent *a, const struct gl_intent *b)
{
    int order = strcmp(a->address, b->address);

    return order != 0 || a == b ? order : compare_forms(a, b);
}

static int compare_entries(const void *left, const void *right)
{
    const struct gl_intent *const *a = left, *const *b = right;

    return gl_hook_compare_intents(*a, *b);
}

static bool is_sorted(const struct gl_intent *const *intents, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (gl_hook_compare_intents(intents[i - 1], intents[i]) > 0)
            return false;
    return true;
}

void gl_hook_digest_facts(const struct gl_hook_report *report, struct gl_hash *out)
{
    const struct gl_intent **intents;
    size_t count = 0, total = 0;
    struct form form;

    for (size_t p = 0; p < report->plan_count; p++)
        total += report->plans[p]->count;
    intents = gl_alloc((total + 1) * sizeof *intents);
    for (size_t p = 0; p < report->plan_count; p++)
        for (size_t i = 0; i < report->plans[p]->count; i++)
            intents[count++] = &report->plans[p]->intents[i];
    if (!is_sorted(intents, count))
        qsort(intents, count, sizeof *intents, compare_entries);
    form_open(&form);
    add_word(&form, "greenlaunch intents 1");
    add_number(&form, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        add_intent(&form, intents[i]);
    form_close(&form, out);
    free(intents);
}

static void add_judged(struct form *form, const struct gl_judged *judged)
{
    add_intent(form, judged->intent);
    add_number(form, judged->verdict);
    add_number(form, judged->intensity.value_u);
    add_number(form, judged->intensity.grade);
    add_number(form, judged->count);
    for (unsigned part = 0; part < 3; part++)
        add_real(form, judged->grams_per_h[part]);
    add_real(form, judged->usd_per_h);
}

static void add_finding(struct form *form, const struct gl_hook_finding *finding)
{
    add_word(form, finding->fingerprint);
    add_number(form, finding->state);
    add_number(form, finding->reason.outcome);
    add_number(form, finding->reason.gap);
    add_number(form, finding->reason.found_u);
}

/* What only stands by is not in it: a resource that does not change changes no judgement. */
void gl_hook_digest_judgement(const struct gl_hook_ask *ask, struct gl_hook_report *report)
{
    struct form form;

    form_open(&form);
    add_word(&form, "greenlaunch judgement 1");
    add_bytes(&form, ask->policy->digest.bytes, sizeof ask->policy->digest.bytes);
    add_number(&form, ask->now.unix_s);
    add_number(&form, ask->duration.s);
    add_real(&form, ask->load);
    add_number(&form, ask->gate);
    add_number(&form, (int64_t)report->judged_count);
    for (size_t i = 0; i < report->judged_count; i++)
        add_judged(&form, &report->judged[i]);
    add_number(&form, (int64_t)report->finding_count);
    for (size_t i = 0; i < report->finding_count; i++)
        add_finding(&form, &report->findings[i]);
    form_close(&form, &report->digest);
}

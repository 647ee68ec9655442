/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_PROMISE_H
#define GL_BROKER_RENDER_PROMISE_H

/* Promises in words: for how long green is promised, how sure, and how such promises fared. A
 * long-run frequency, and said so. */

#include "base/json.h"
#include "policy/guarantee/book.h"

/* Does the rule bind the offer at the instant of the question? */
bool gl_render_speaks_of(const struct gl_question *question, const struct gl_rule *rule,
                         const struct gl_offer *offer);

/* The promise an offer stands under: of its rules and zones the one that ends first, or the first
 * of which nothing is promised. NULL when no rule that speaks of it has a history there. */
const struct gl_book_entry *gl_render_promise_of(const struct gl_question *question,
                                                 const struct gl_offer *offer);

/* "until 14:00", "until 2026-01-02 03:00" on another day, "not now", "?" when nothing can be said.
 * Returns out. */
#define GL_RENDER_UNTIL 32
char *gl_render_until(const struct gl_book_entry *entry, struct gl_instant now,
                      char out[GL_RENDER_UNTIL]);

/* "p 90 %, kept 91 % of 3,900 before, half of them 9 h or longer; own chance 88 %, of those of 25 h
 * or longer kept 81 % of 410". */
void gl_render_record(const struct gl_book_entry *entry, struct gl_str *out);

/* "GREEN UNTIL (UTC): rule r promised in DE, p 90 %, ..."; or, not told, why it is not known. */
void gl_render_told(const struct gl_question *question, const struct gl_book_entry *entry,
                    bool is_told, struct gl_str *out);

/* "7 to 12 h", "25 h or longer": the lengths that a promise is compared with. */
void gl_render_class(uint32_t hours, struct gl_str *out);

/* Where figures at hand do not cover the run and promises could: that --confidence judges by those.
 * False when not so. */
bool gl_render_promise_hint(const struct gl_question *question, const struct gl_decision *decision,
                            struct gl_str *out);

/* The share that a later start of the offer would be promised with: the least of its rules'
 * `confidence`, in per cent; 0 = by none. */
double gl_render_promised_percent(const struct gl_question *question, const struct gl_offer *offer);

/* {"rule","zone","state","start","until","hours","probability","own_chance","alike":{...},"level","issues","indication_h",
 * "record":{...}}. New reference. */
json_t *gl_render_promise_json(const struct gl_book_entry *entry, struct gl_instant now);

#endif

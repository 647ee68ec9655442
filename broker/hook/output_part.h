/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_OUTPUT_PART_H
#define GL_BROKER_HOOK_OUTPUT_PART_H

/* One renderer an output format, a row of broker/hook/outputs.c each, and the words they share. */

#include "broker/hook/escape.h"
#include "broker/hook/report.h"

void gl_hook_out_text(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_json(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_sarif(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_junit(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_tap(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_markdown(const struct gl_hook_report *report, unsigned columns,
                          struct gl_str *out);
void gl_hook_out_github(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_gitlab(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);
void gl_hook_out_atlantis(const struct gl_hook_report *report, unsigned columns,
                          struct gl_str *out);
void gl_hook_out_azure(const struct gl_hook_report *report, unsigned columns, struct gl_str *out);

/* "allowed" "later" "refused" "unknown". */
const char *gl_hook_outcome_word(enum gl_verdict verdict);

/* ---- out_words.c ---- */

#define GL_HOOK_DEMO "DEMO: simulated, not figures of your grid"

/* How loud a finding is. */
enum gl_hook_level { GL_HOOK_ERROR, GL_HOOK_WARNING, GL_HOOK_NOTE, GL_HOOK_LEVELS };
enum gl_hook_level gl_hook_level_of(const struct gl_hook_finding *finding);
/* Of what no rule was reached on. No rule of a policy can take that id: it holds a sign that theirs
 * cannot. */
#define GL_HOOK_NOT_JUDGED "not-judged@hook"
/* The id of its rule; GL_HOOK_NOT_JUDGED when none was reached. */
const char *gl_hook_rule_id(const struct gl_hook_finding *finding);
/* The address of what it is about, or "the whole change". */
const char *gl_hook_subject(const struct gl_hook_finding *finding);
/* The status that the command ends with. */
int gl_hook_exit(const struct gl_hook_report *report);
/* Findings that stand in the way. */
size_t gl_hook_violations(const struct gl_hook_report *report);

/* "418 gCO2e/kWh, location-based average over the lifecycle, grade D, yearly average of 2025, by
 * electricitymaps-yearly-2025", or why there is no figure. */
void gl_hook_add_evidence(const struct gl_figure *figure, struct gl_str *out);
/* The same of all that was judged, without values: "location-based average over the lifecycle;
 * grades C to D; evidence up to 3 h old and yearly averages". */
void gl_hook_add_method(const struct gl_hook_report *report, struct gl_str *out);
/* "REFUSED: 2 of 7 ... (DEMO: ...)", and "DEMO: " before a demonstration's message. */
void gl_hook_add_headline(const struct gl_hook_report *report, struct gl_str *out);
/* One line on a finding: subject, message, rule, evidence, the nearest that would be allowed. */
void gl_hook_add_story(const struct gl_hook_report *report, const struct gl_hook_finding *finding,
                       const struct gl_judged *judged, struct gl_str *out);

/* Intents to what became of them. */
struct gl_hook_lookup {
    const struct gl_judged **sorted; /* by address in memory of the intent */
    bool *has_finding;               /* by place in report->judged */
    size_t count;
};
void gl_hook_lookup_init(const struct gl_hook_report *report, struct gl_hook_lookup *out);
/* NULL when there is none: a finding on the whole change. */
const struct gl_judged *gl_hook_lookup_find(const struct gl_hook_lookup *lookup,
                                            const struct gl_intent *intent);
/* Did judged[index] meet every rule? */
bool gl_hook_lookup_is_clean(const struct gl_hook_lookup *lookup, size_t index);
void gl_hook_lookup_done(struct gl_hook_lookup *lookup);

/* JSON for a runner's log: indented, one line end, nothing a runner takes for a command. Takes the
 * reference. */
void gl_hook_add_json(json_t *document, struct gl_str *out);
/* Foreign text as a string of JSON: visible, and valid UTF-8. New reference. */
json_t *gl_hook_text_json(const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_BASELINE_H
#define GL_BROKER_HOOK_BASELINE_H

/* Findings that were there when the hook was adopted: known as long as they are not worse. The file
 * {"greenlaunch_baseline":1,"findings":[...]} only ever shrinks. Holds fingerprints, rule ids,
 * addresses and figures; nothing else of a plan. */

#include "broker/hook/report.h"

#define GL_BASELINE_VERSION   1
#define GL_BASELINE_MAX_BYTES GL_JSON_MAX_BYTES

/* What a finding was about; texts borrowed or the baseline's. */
struct gl_known_finding {
    const char *fingerprint, *rule, *cloud, *address, *region, *type, *key; /* "" not known */
    enum gl_finding_state state;                                            /* BROKEN or UNKNOWN */
    int64_t found_u, count;                                                 /* GL_UNKNOWN */
    struct gl_hook_size size; /* GL_UNKNOWN: files of before do not say it */
};

struct gl_hook_baseline {
    size_t count;
    struct gl_known_finding *findings; /* by fingerprint */
    json_t *document;                  /* owns the texts */
};

/* NULL: SYNTAX, BAD_VALUE, TOO_LARGE with the name. Free with gl_hook_baseline_free(). */
struct gl_hook_baseline *gl_hook_baseline_parse(const char *bytes, size_t length, const char *name,
                                                struct gl_error *err);
void gl_hook_baseline_free(struct gl_hook_baseline *baseline);

/* Is the finding in the baseline (may be NULL) and not worse there? Worse: another region or
 * machine whose figure is further from the limit or not comparable, more machines or larger ones.
 */
bool gl_hook_baseline_knows(const struct gl_hook_baseline *baseline,
                            const struct gl_known_finding *finding);

/* How many of its findings (NULL = none) are in no report any more. */
size_t gl_hook_baseline_gone(const struct gl_hook_baseline *baseline,
                             const struct gl_hook_report *report);

/* The file of all findings of a report that count; with `kept` (NULL = none) only those that stand
 * in it too, as they stand there. Fresh text; *out_count of them. */
char *gl_hook_baseline_text(const struct gl_hook_report *report,
                            const struct gl_hook_baseline *kept, size_t *out_count);
/* What the finding is about, as a baseline notes it. */
struct gl_known_finding gl_hook_known(const struct gl_hook_finding *finding);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_POLICYTEST_H
#define GL_BROKER_POLICYTEST_H

/* Policy tests: a policy, a frozen world and cases that say what must be decided in it. The judge
 * is the one evaluator; nothing of the network, the clock or this machine comes in. The form of the
 * files: docs/policy-tests.md. */

#include "base/json.h"
#include "base/world.h"
#include "policy/arena.h"
#include "policy/decide.h"

#define GL_TEST_MAX_CASES   500
#define GL_TEST_MAX_RESULTS 64

/* ---- what a file says ---- */

/* What a rule must say of offers. */
struct gl_test_result {
    const char *rule;  /* id; NULL = of any rule, the worst */
    const char *key;   /* of the rule; NULL = the worst of them */
    const char *offer; /* glob over cloud/region/type; NULL = any asked one */
    int outcome;       /* index of gl_test_outcomes */
};
extern const char *const gl_test_outcomes[]; /* satisfied violated unknown none */
extern const char *const gl_test_verdicts[]; /* allow later refuse unknown: enum gl_verdict */

struct gl_test_case {
    const char *name;
    int64_t at_s;              /* GL_UNKNOWN: the clock of the file */
    struct gl_request request; /* start and latest_start: see start_by_s */
    int64_t start_by_s;        /* GL_UNKNOWN: at once */
    int64_t load_ppm;
    const char *zone; /* of this machine; NULL: `local` is not offered */
    int verdict;      /* enum gl_verdict; -1: not said */
    int exit;         /* -1: not said */
    const char *best; /* glob over the first of the allowed offers; NULL: not said */
    struct gl_test_result *results;
    size_t result_count;
};

struct gl_test_file {
    const char *path;                     /* of the test file */
    const char *policy, *waivers, *world; /* whole paths; waivers NULL = none */
    int64_t clock_s;                      /* GL_UNKNOWN: the world's "now" */
    struct gl_test_case *cases;
    size_t count;
    struct gl_arena arena; /* owns all of it */
};

/* Read a test file. Errors: IO, and the reader's with position. */
int gl_test_read(const char *path, struct gl_test_file *out, struct gl_error *err);
void gl_test_done(struct gl_test_file *file);

/* ---- the frozen world ---- */

struct gl_test_world {
    json_t *root;  /* strings are borrowed from it */
    int64_t now_s; /* GL_UNKNOWN: not said */
    struct gl_zone_facts *zones;
    size_t count, capacity;
    struct gl_arena arena; /* series and points */
};

int gl_test_world_read(const char *path, int64_t clock_s, struct gl_test_world *out,
                       struct gl_error *err);
void gl_test_world_done(struct gl_test_world *world);

/* UNKNOWN_KEY when a member is not among `known` (NULL-terminated). */
int gl_test_check_keys(const json_t *object, const char *const *known, struct gl_error *err);

/* What could be asked for in this world: the built-in catalogue joined with its zones, then the
 * world's own offers. A zone that the world does not have is a zone of which nothing is known.
 * Offers outside the request's clouds, regions and types are left out. */
struct gl_test_offers {
    struct gl_offer *offers;
    size_t count;
    void *memory;
};
int gl_test_offers_gather(struct gl_test_world *world, const struct gl_test_case *one,
                          const struct gl_request *request, const struct gl_world *clock,
                          struct gl_test_offers *out, struct gl_error *err);
void gl_test_offers_done(struct gl_test_offers *offers);

/* ---- running ---- */

struct gl_test_options {
    bool requires_coverage; /* each rule needs a case it allows and one it refuses */
    bool mutates;           /* each limit loosened by one unit must be noticed by a case */
};

/* One line of the outcome. */
struct gl_test_point {
    char *file, *name;   /* owned */
    char *message;       /* NULL = ok */
    const char *verdict; /* what was decided; NULL for coverage and mutants */
};

struct gl_test_report {
    struct gl_test_point *points;
    size_t count, failed;
    json_t *coverage; /* array of {"file","rule","allowed","refused"} */
};

/* Run one file, appending to the report. Errors: of reading; a failed case is none. */
int gl_test_run(const char *path, const struct gl_test_options *options,
                const struct gl_world *world, struct gl_test_report *report, struct gl_error *err);
void gl_test_report_done(struct gl_test_report *report);

/* One case against one policy: NULL when it is as expected, else what is not, to be freed.
 * *out_decision may be NULL; else it is to be freed. */
char *gl_test_judge(const struct gl_test_case *one, const struct gl_question *question,
                    struct gl_decision **out_decision);

/* ---- loosened policies ---- */

struct gl_test_mutant {
    struct gl_policy policy; /* shares all but the changed rule with the original */
    char *text;              /* "rule clean: max_intensity 100 g/kWh loosened by 1 g/kWh" */
    bool is_noticed;
};
/* One for each limit that can be loosened; *out is fresh, its parts live in the arena. */
size_t gl_test_mutants(const struct gl_policy *policy, struct gl_arena *arena,
                       struct gl_test_mutant **out);

/* ---- reports ---- */

void gl_test_tap(const struct gl_test_report *report, struct gl_str *out);
void gl_test_junit(const struct gl_test_report *report, struct gl_str *out);
json_t *gl_test_json(const struct gl_test_report *report);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BUDGET_H
#define GL_POLICY_BUDGET_H

/* Accounts of carbon and money: what a cap says, which window an instant falls into, which caps an
 * account stands under, what is left and what would fit, and when it runs out at this pace. Pure:
 * the sums come from whoever keeps them (broker/budget.h). Amounts are integers, micrograms of CO2e
 * and millionths of a dollar, so that sums are exact; one that is not known is GL_UNKNOWN and never
 * counts as nothing.
 *
 * Accounts form a tree, organisation > team > project, written as a path: "org/ml/ablation". What
 * is charged to one is charged to all above it. A cap's path may hold "{team}" for a segment: each
 * account there has that cap of its own. */

#include "base/str.h"
#include "base/zoneinfo.h"
#include "policy/facts.h"

#define GL_ACCOUNT_PATH    256 /* bytes with the end */
#define GL_ACCOUNT_SEGMENT 64  /* letters of one segment */
#define GL_ACCOUNT_LEVELS  8
#define GL_ACCOUNT_ROOT    "org"
#define GL_ACCOUNT_TREE    "org/{team}/{project}" /* where nothing else is said */
#define GL_ACCOUNT_UNSET   "untagged"             /* the segment of a tag that is not there */

/* ---- caps ---- */

enum gl_period {
    GL_PER_HOUR,
    GL_PER_DAY,
    GL_PER_WEEK, /* ISO 8601: from Monday */
    GL_PER_MONTH,
    GL_PER_QUARTER,
    GL_PER_YEAR,
    GL_PER_SPAN, /* sliding: the last `span_s` seconds */
    GL_PERIODS
};
struct gl_period_of {
    enum gl_period period;
    int64_t span_s; /* of GL_PER_SPAN, else 0 */
};

struct gl_amount {
    int64_t ug, u_usd; /* GL_UNKNOWN = not known; in a cap: no limit */
};

/* What running work meets when its account is spent; new work is refused in any case. */
enum gl_at_cap { GL_AT_CAP_REFUSE, GL_AT_CAP_PAUSE, GL_AT_CAP_STOP };
extern const char *const gl_at_cap_words[]; /* "refuse" "pause" "stop" NULL */

#define GL_CAP_WARNINGS 4
struct gl_cap {
    char path[GL_ACCOUNT_PATH];
    struct gl_amount limit;
    struct gl_period_of period;
    char zone[GL_ZONE_NAME]; /* of its calendar; "UTC" */
    size_t warn_count;
    int64_t warn_ppm[GL_CAP_WARNINGS]; /* ascending shares of the limit */
    enum gl_at_cap at_cap;
    bool is_advisory; /* passing it is told, and refuses nothing */
};

/* "50 kg per month", "200 USD per 30d", with or without " of {team}": the amount into the member of
 * out->limit that it speaks of, the period, and the tag into out_tag ("" without). Other members
 * are left alone. Errors: UNIT_MISSING, BAD_VALUE. */
int gl_cap_read(const char *text, struct gl_cap *out, char out_tag[GL_ACCOUNT_SEGMENT],
                struct gl_error *err);
/* An amount alone: "500 g" or "20 USD"; the other member becomes 0. */
int gl_amount_read(const char *text, struct gl_amount *out, struct gl_error *err);
/* "month", "30d" */
void gl_period_text(const struct gl_period_of *period, struct gl_str *out);
/* The word of a period, as "month" or a span as "30d". -1 BAD_VALUE. */
int gl_period_read(const char *text, struct gl_period_of *out, struct gl_error *err);

/* ---- windows ---- */

struct gl_stretch_of_time {
    int64_t from_s, until_s; /* [from, until) */
};
/* The window that holds an instant. Calendar windows of one zone follow on each other without gap
 * or overlap, whatever its clocks do. Of a sliding one: the last span_s seconds, the instant
 * included. */
struct gl_stretch_of_time gl_window_at(const struct gl_period_of *period,
                                       const struct gl_zone *zone, int64_t at_s);

/* ---- accounts ---- */

/* Is it the path of an account (no "{tag}"), or of a cap (with them)? One to eight names between
 * slashes, each 1 to 63 of A-Z a-z 0-9 . _ - + @ %, not of dots alone. */
bool gl_account_is_path(const char *path);
bool gl_account_is_pattern(const char *path);
/* The same for what a ledger holds: earlier versions took names of dots, with or without tags. */
bool gl_account_was_pattern(const char *path);
/* A path as people write it: what a name cannot hold becomes %XX a byte, as in the value of a tag,
 * so that "org/team a" is what --tag team="team a" is charged to; a %XX that is written stays.
 * BAD_VALUE saying what is wrong: an empty name, dots alone, control characters, blanks at an end,
 * braces within a name, too long. */
int gl_account_read(const char *text, char out[GL_ACCOUNT_PATH], struct gl_error *err);
/* A tree such as "org/{team}/{project}" with the values of tags ("key=value", NULL-terminated; NULL
 * = none) put in. A tag that is not there becomes GL_ACCOUNT_UNSET, so that leaving it off is no
 * way around a cap; what a path cannot hold, and a name of dots alone, is written as %XX. Errors:
 * BAD_VALUE, TOO_LARGE. */
int gl_account_of(const char *tree, const char *const *tags, char out[GL_ACCOUNT_PATH],
                  struct gl_error *err);
/* One text as one segment, appended after a slash. TOO_LARGE. */
int gl_account_add(char path[GL_ACCOUNT_PATH], const char *segment, struct gl_error *err);
/* Cut the last segment; false when there is only one. */
bool gl_account_up(char path[GL_ACCOUNT_PATH]);
/* The cap that an account has: of those whose path fits it segment by segment the one with the most
 * fixed names, the first of them. NULL = none. Its ancestors' caps hold besides. */
const struct gl_cap *gl_account_cap(const struct gl_cap *caps, size_t count, const char *path);

/* What a transfer does: every account from the first common ancestor (exclusive) down to `from`
 * gives, and down to `to` gets. Calls for each until one returns non-zero, and returns that. */
int gl_account_between(const char *from, const char *to, void *cookie,
                       int (*each)(void *cookie, const char *path, int sign));

/* ---- what is left ---- */

/* Of one account in one window. */
struct gl_balance {
    struct gl_amount granted; /* by transfers: added to the limit; may be negative */
    struct gl_amount spent, held;
};
/* limit + granted, saturated and never below nothing; GL_UNKNOWN without a limit. Where a limit was
 * lowered below what had been given away, the rest of that is overdrawn: what is given back makes
 * it good first. */
int64_t gl_balance_limit(int64_t limit, int64_t granted);
int64_t gl_balance_overdrawn(int64_t limit, int64_t granted);
/* That limit - spent - held; GL_UNKNOWN without a limit. May be negative. Saturates. */
int64_t gl_balance_left(int64_t limit, int64_t granted, int64_t spent, int64_t held);
struct gl_amount gl_balance_left_of(const struct gl_cap *cap, const struct gl_balance *balance);
/* Can it be reserved? An amount that is not known fits only where nothing limits it. */
enum gl_fit { GL_FITS, GL_FITS_NOT, GL_FIT_UNKNOWN };
enum gl_fit gl_budget_fit(const struct gl_cap *cap, const struct gl_balance *balance,
                          const struct gl_amount *wanted);
/* So many seconds of a run of `duration_s` that takes `wanted` would fit; embodied and all scale
 * with time. At most duration_s. */
int64_t gl_budget_fit_s(const struct gl_cap *cap, const struct gl_balance *balance,
                        const struct gl_amount *wanted, int64_t duration_s);
/* The highest warning level that spent + held has reached, in ppm; GL_UNKNOWN = none. */
int64_t gl_budget_warning(const struct gl_cap *cap, const struct gl_balance *balance);

/* ---- when it runs out ---- */

/* Amounts spent in equal slices of time, oldest first, the last ending at now_s. */
struct gl_spending {
    const int64_t *slices;
    size_t count;
    int64_t slice_s, now_s;
    int64_t left;   /* what is left now */
    int64_t span_s; /* of a sliding window: what does not run out within it never does, for what was
                       spent falls out again; 0 = of a calendar */
};
/* Instants; INT64_MAX = never at this pace; low and high GL_UNKNOWN with fewer than three slices,
 * all three with none. low is the earliest. Slices are taken as independent: after d more of them
 * d * mean +- 1.2816 * deviation * sqrt(d) is spent, bounds that hold the date 8 times in 10. */
struct gl_exhaustion {
    int64_t low_s, central_s, high_s;
};
void gl_budget_exhaustion(const struct gl_spending *spending, struct gl_exhaustion *out);

#endif

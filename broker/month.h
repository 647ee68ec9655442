/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_MONTH_H
#define GL_BROKER_MONTH_H

/* Our metered month beside the provider's own statement: what the receipts of one cloud say of one
 * calendar month (UTC), what the provider says, and why the two differ, by name. Pure. Refuses to
 * take one from the other, to call two figures equal that have no bounds, and to count what is not
 * known as nothing.
 *
 * A launch that crosses the end of the month is split: its operational carbon by the hourly slots
 * of its receipt (energy times intensity, each bound by itself), its embodied share by their time.
 */

#include "broker/ledger.h"
#include "policy/facts.h"
#include "providers/cloud/statement.h"

#define GL_MONTH_REGIONS 64

/* What our receipts say. */
struct gl_month {
    struct gl_instant from, until;
    size_t launches; /* whose time falls into it; the five below are all of them */
    size_t counted;  /* with a receipt and a known footprint: what the figures are made of */
    size_t open;     /* no receipt (yet) */
    size_t unknown;  /* a receipt that does not know its carbon */
    size_t broken;   /* a receipt that does not verify */
    size_t unread;   /* of the counted: not one reading, charged at the high bound */
    size_t split;    /* of the counted: partly in another month */
    int64_t gap_ms;  /* of the counted: without readings, charged at the high bound */
    int64_t operational_ug[3], embodied_ug[3]; /* low, central, high */
    int64_t pue_milli[2];                      /* least and greatest; 0 = none */
    char grade;                                /* the worst of the totals; 'A' when none */
    char names[GL_MONTH_REGIONS][40];          /* of the regions they ran in */
    const char *regions[GL_MONTH_REGIONS];     /* into names: not in a copy of this */
    size_t region_count;
    bool has_more_regions; /* than have room: no statement can be narrowed to them */
};
void gl_month_begin(struct gl_month *out, struct gl_instant month);
/* Take one launch of the ledger into the month, if any of its time is in it. `now_ms` ends what
 * still runs. Never fails: what cannot be read is counted as broken. */
void gl_month_add(struct gl_month *month, const struct gl_launch_row *row, int64_t now_ms);
/* Operational and embodied. */
void gl_month_total(const struct gl_month *month, int64_t out_ug[3]);

enum gl_month_verdict {
    GL_MONTH_WITHIN,    /* the statement lies within our bounds, its rounding included */
    GL_MONTH_OUTSIDE,   /* it cannot lie within them */
    GL_MONTH_NOT_CLEAR, /* the two cannot be compared */
};
/* "within bounds", "outside", "cannot be compared". */
const char *gl_month_verdict_word(enum gl_month_verdict verdict);

/* One of the two pairs that mean the same: everything, or electricity alone. */
struct gl_month_figures {
    bool has_stated;
    int64_t ours_ug[3];
    struct gl_stated stated;
};

#define GL_MONTH_DIFFERENCES 12
struct gl_month_difference {
    const char *name; /* "accounting", "boundary", "allocation", "coverage", "model", "rounding" */
    char text[400];
    int64_t ug; /* how much it makes where that is known; GL_UNKNOWN */
};

struct gl_month_pair {
    enum gl_month_verdict verdict;
    char why[256];
    bool is_total;                       /* the verdict compares `total`, else `electricity` */
    struct gl_month_figures total;       /* operational and embodied, all scopes; by location */
    struct gl_month_figures electricity; /* operational, scope 2; by location */
    bool has_market, has_unsaid;
    struct gl_stated market; /* all scopes, contracts counted: told, never compared */
    struct gl_stated unsaid; /* accounting not told */
    bool has_left_out;
    struct gl_stated left_out; /* of the account, in the accounting of the pair */
    struct gl_month_difference differences[GL_MONTH_DIFFERENCES];
    size_t difference_count;
};
void gl_month_compare(const struct gl_month *ours, const struct gl_statement *stated,
                      struct gl_month_pair *out);

#endif

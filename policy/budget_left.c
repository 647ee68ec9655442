/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a cap, what would fit, and when it runs out. */
#include "policy/budget.h"

#include <math.h>

#define MILLION 1000000
#define Z_80    1.2815515655446004 /* a normal value is within +- this 8 times in 10 */

__extension__ typedef __int128 wide;

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;

    return !__builtin_add_overflow(a, b, &sum) ? sum : a > 0 ? INT64_MAX : -INT64_MAX;
}

int64_t gl_balance_limit(int64_t limit, int64_t granted)
{
    int64_t sum = limit != GL_UNKNOWN ? add(limit, granted) : GL_UNKNOWN;

    return sum == GL_UNKNOWN || sum > 0 ? sum : 0;
}

int64_t gl_balance_overdrawn(int64_t limit, int64_t granted)
{
    int64_t sum = limit != GL_UNKNOWN ? add(limit, granted) : 0;

    return sum < 0 ? -sum : 0;
}

int64_t gl_balance_left(int64_t limit, int64_t granted, int64_t spent, int64_t held)
{
    int64_t taken;

    if (limit == GL_UNKNOWN)
        return GL_UNKNOWN;
    taken = add(spent, held);
    return add(gl_balance_limit(limit, granted), taken == -INT64_MAX ? INT64_MAX : -taken);
}

struct gl_amount gl_balance_left_of(const struct gl_cap *cap, const struct gl_balance *balance)
{
    return (struct gl_amount){
        gl_balance_left(cap->limit.ug, balance->granted.ug, balance->spent.ug, balance->held.ug),
        gl_balance_left(cap->limit.u_usd, balance->granted.u_usd, balance->spent.u_usd,
                        balance->held.u_usd),
    };
}

static enum gl_fit fit_one(int64_t left, int64_t wanted)
{
    if (left == GL_UNKNOWN)
        return GL_FITS;
    if (wanted == GL_UNKNOWN)
        return GL_FIT_UNKNOWN;
    return wanted <= left ? GL_FITS : GL_FITS_NOT;
}

enum gl_fit gl_budget_fit(const struct gl_cap *cap, const struct gl_balance *balance,
                          const struct gl_amount *wanted)
{
    struct gl_amount left = gl_balance_left_of(cap, balance);
    enum gl_fit grams = fit_one(left.ug, wanted->ug), money = fit_one(left.u_usd, wanted->u_usd);

    if (grams == GL_FITS_NOT || money == GL_FITS_NOT)
        return GL_FITS_NOT;
    return grams == GL_FITS ? money : grams;
}

static int64_t fit_s(int64_t left, int64_t wanted, int64_t duration_s)
{
    if (left == GL_UNKNOWN || wanted == GL_UNKNOWN || wanted <= left)
        return duration_s;
    if (left <= 0)
        return 0;
    return (int64_t)((wide)left * duration_s / wanted);
}

int64_t gl_budget_fit_s(const struct gl_cap *cap, const struct gl_balance *balance,
                        const struct gl_amount *wanted, int64_t duration_s)
{
    struct gl_amount left = gl_balance_left_of(cap, balance);
    int64_t grams = fit_s(left.ug, wanted->ug, duration_s);
    int64_t money = fit_s(left.u_usd, wanted->u_usd, duration_s);

    return grams < money ? grams : money;
}

/* Has so much of the limit been taken? */
static bool has_reached(int64_t limit, int64_t granted, int64_t taken, int64_t ppm)
{
    return limit != GL_UNKNOWN &&
           (wide)taken * MILLION >= (wide)gl_balance_limit(limit, granted) * ppm;
}

int64_t gl_budget_warning(const struct gl_cap *cap, const struct gl_balance *balance)
{
    int64_t reached = GL_UNKNOWN;

    for (size_t i = 0; i < cap->warn_count; i++)
        if (has_reached(cap->limit.ug, balance->granted.ug,
                        add(balance->spent.ug, balance->held.ug), cap->warn_ppm[i]) ||
            has_reached(cap->limit.u_usd, balance->granted.u_usd,
                        add(balance->spent.u_usd, balance->held.u_usd), cap->warn_ppm[i]))
            reached = cap->warn_ppm[i];
    return reached;
}

/* ---- the date ---- */

/* sqrt(d) of mean * d + z * deviation * sqrt(d) = left. */
static int64_t instant_of(const struct gl_spending *spending, double mean, double spread)
{
    double root =
        (-spread + sqrt(spread * spread + 4 * mean * (double)spending->left)) / (2 * mean);
    double seconds = root * root * (double)spending->slice_s;

    if (spending->span_s > 0 && seconds > (double)spending->span_s)
        return INT64_MAX;
    return seconds < 4e18 ? add(spending->now_s, (int64_t)llround(seconds)) : INT64_MAX;
}

static void moments(const struct gl_spending *spending, double *mean, double *deviation)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < spending->count; i++)
        sum += (double)spending->slices[i];
    *mean = sum / (double)spending->count;
    for (size_t i = 0; i < spending->count; i++)
        squares += ((double)spending->slices[i] - *mean) * ((double)spending->slices[i] - *mean);
    *deviation = spending->count > 1 ? sqrt(squares / (double)(spending->count - 1)) : 0;
}

void gl_budget_exhaustion(const struct gl_spending *spending, struct gl_exhaustion *out)
{
    double mean, deviation;

    *out = (struct gl_exhaustion){GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN};
    if (spending->left != GL_UNKNOWN && spending->left <= 0) {
        *out = (struct gl_exhaustion){spending->now_s, spending->now_s, spending->now_s};
        return;
    }
    if (spending->count == 0 || spending->left == GL_UNKNOWN)
        return;
    moments(spending, &mean, &deviation);
    out->central_s = mean > 0 ? instant_of(spending, mean, 0) : INT64_MAX;
    if (spending->count < 3)
        return;
    out->low_s = mean > 0 ? instant_of(spending, mean, Z_80 * deviation) : INT64_MAX;
    out->high_s = mean > 0 ? instant_of(spending, mean, -Z_80 * deviation) : INT64_MAX;
}

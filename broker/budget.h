/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_H
#define GL_BROKER_BUDGET_H

/* Accounts of carbon and money in the ledger: caps, reservations, what was spent, transfers. All of
 * it is written as events of the chain, with a projection in the same transaction; a reservation is
 * tried against every cap above its accounts inside that transaction, so that launches of several
 * processes can never overspend together. Decides nothing beyond policy/budget.h.
 *
 * An event's member "budget" is one of:
 *   {"op":"reserve","accounts":[...],"caps":[...],"ug","u_usd","until_ms","how","override"}  of a
 *     launch, in its "intent"; a later one of the launch takes the place of the earlier. With
 *     "from":{"launch","ug","u_usd"} it goes on from another launch, which has used so much: both
 *     together hold what the other one did, or more where they need more, and what this one does
 *     not spend goes back to the other one while that holds something
 *   {"op":"grow","ug","u_usd"}  of a launch that has taken more than it reserved: no less is held
 *   {"op":"stay","ug","u_usd","of"}  of a launch that another one was to go on from, and that goes
 * on itself: it holds just this, the launch "of" what is left of what both held, and gives nothing
 *     back when it ends
 *   {"op":"ease","ug","u_usd"}  the same in earlier versions: no more is held
 *   {"op":"spend","ug","u_usd","from_ms","until_ms","piece_ms"}  in its end: ends the reservation;
 *     booked evenly over its time, in pieces cut at multiples of piece_ms since 1970
 *   {"op":"set","cap":{...}}  {"op":"unset","path"}  {"op":"move","from","to","deltas":[...]}
 *   {"op":"warn","path","ppm","ug","u_usd","from_s"}  a level of a limit was reached, and told
 * A launch that ends without "spend" gives its reservation back; one that never ends does so with
 * its lease. */

#include "broker/ledger.h"
#include "policy/budget.h"
#include "policy/budget_reserve.h"

/* A reservation outlives the lease by what ending and settling take. */
#define GL_HOLD_MS INT64_C(120000)

#define GL_CHARGE_ACCOUNTS 8
#define GL_CHARGE_CAPS     8

/* What a launch is charged to. */
struct gl_payer {
    size_t account_count;
    char accounts[GL_CHARGE_ACCOUNTS][GL_ACCOUNT_PATH];
    size_t cap_count; /* of policies, in force with the reservation */
    struct gl_cap caps[GL_CHARGE_CAPS];
    const char *override_why, *override_by; /* over a cap all the same; NULL = not */
};

json_t *gl_cap_json(const struct gl_cap *cap); /* new reference */
/* BAD_REPLY. */
int gl_cap_of_json(const json_t *json, struct gl_cap *out, struct gl_error *err);

/* As the member "budget" of a plan, where it goes with the launch wherever that goes. New
 * reference; NULL when reason or name is no UTF-8 text. */
json_t *gl_charge_json(const struct gl_payer *payer);
/* The "budget" of an intent, made of that of its plan. `wanted` may hold what is not known. New
 * reference. */
json_t *gl_budget_reserve_json(const json_t *charge, const struct gl_amount *wanted,
                               int64_t until_ms);
/* The "budget" of an end. */
json_t *gl_budget_spend_json(const struct gl_amount *spent, int64_t from_ms, int64_t until_ms);

/* What a run may take: the account of its plan (broker/account.h) as if its meter never spoke, with
 * the watts and the embodied share at their high bound, and for the grid the quantile of
 * policy/budget_reserve.h where its plan has the futures of that place and time, else the high
 * bound of every hour; and the price of its offer. A member that cannot be told is GL_UNKNOWN. */
struct gl_wanted_of {
    const json_t *plan;
    const json_t *series; /* of another place; NULL = as its plan has it */
    int64_t start_ms, lease_s;
    int64_t max_price_u_usd; /* per hour, of a price that may rise; 0 = it may not */
};
struct gl_wanted {
    struct gl_amount amount;
    int64_t p_ppm, paths; /* of its grams; 0 = by high bounds */
};
/* Errors: of gl_account(). */
int gl_budget_wanted(const struct gl_wanted_of *run, struct gl_wanted *out, struct gl_error *err);
/* {"method": ...}; new reference. */
json_t *gl_wanted_how_json(const struct gl_wanted *wanted);
/* The "budget" of an intent, with what is wanted and how that came about. New reference; NULL with
 * the errors of gl_account(). */
json_t *gl_budget_reserve_of(const struct gl_wanted_of *run, int64_t until_ms,
                             struct gl_error *err);
/* The member "futures" of a plan's "budget". New reference. */
json_t *gl_budget_futures_json(const struct gl_reserve_run *run, const struct gl_reserve_path *path,
                               const char *cloud, const char *region);
/* The "budget" of a running launch that is to hold another amount; the caps of policies are those
 * that the ledger has now. New reference. */
json_t *gl_budget_again_json(const json_t *plan, const struct gl_amount *wanted, int64_t until_ms,
                             const char *method);
/* The "budget" of a launch that moves on to a place of that series (NULL = nothing is known of it):
 * the part of its reservation that the time until now makes up, and the high bound there for the
 * rest of its lease; never less than before, for the move may fail. *out NULL when it holds
 * nothing; else a new reference. */
int gl_budget_of_move(struct gl_ledger *ledger, const struct gl_launch_row *row,
                      const json_t *series, json_t **out, struct gl_error *err);
/* What it took: the central figure of a receipt's derived part and the price of its time; where the
 * carbon is not known what was reserved. */
void gl_budget_of_receipt(const json_t *receipt, const struct gl_amount *held,
                          struct gl_amount *out);

/* One account now. */
struct gl_account_state {
    struct gl_stretch_of_time window;
    struct gl_balance balance;
    int64_t
        unknown; /* launches in it whose carbon or, under a limit of money, price is not known */
};
/* ---- writing; by and why are kept ---- */

int gl_budget_set(struct gl_ledger *ledger, const struct gl_cap *cap, const char *by,
                  struct gl_error *err);
/* UNKNOWN_NAME: there is none. */
int gl_budget_unset(struct gl_ledger *ledger, const char *path, const char *by,
                    struct gl_error *err);
/* From account to account within their present windows. BUDGET: it is not there to give;
 * UNKNOWN_NAME: neither is under a cap of that kind. */
int gl_budget_move(struct gl_ledger *ledger, const char *from, const char *to,
                   const struct gl_amount *amount, const char *by, const char *why,
                   struct gl_error *err);

/* A running launch has taken so much: no less is held from now on, whatever its caps say. */
int gl_budget_grow(struct gl_ledger *ledger, const char *launch, const struct gl_amount *taken,
                   struct gl_error *err);
/* The warning level that the account has reached, once in a window by whoever comes first;
 * GL_UNKNOWN when there is none, or it was told. Another limit is told anew. */
int gl_budget_announce(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                       const struct gl_account_state *state, int64_t *out_ppm,
                       struct gl_error *err);

/* ---- what fits ---- */

/* A reservation that does not fit: the first account on its way up without room. */
struct gl_short {
    char account[GL_ACCOUNT_PATH];
    struct gl_cap cap;
    struct gl_account_state state;
    struct gl_amount wanted;
    bool is_money;   /* it is the money that does not fit */
    bool is_unknown; /* what is wanted is not known, and cannot be reserved */
    int64_t fit_s;   /* under all caps, so much of its lease would fit */
    int64_t lease_s;
    int64_t fits_from_s; /* when all of it would fit, if nothing else is charged until then;
                            GL_UNKNOWN: not foreseen, as when it is more than the whole limit */
};
/* 1 and *out when it does not fit now, 0 when it does, -1: errors of the ledger. */
int gl_budget_short(struct gl_ledger *ledger, const char *launch, const json_t *reserve,
                    struct gl_short *out, struct gl_error *err);
/* "1 kg of 8 kg left ...; this takes up to 3 kg; what would fit: 2 h of it, or all of it from ..."
 */
void gl_short_text(const struct gl_short *what, struct gl_str *out);
/* New reference. */
json_t *gl_short_json(const struct gl_short *what);

/* ---- reading ---- */

struct gl_caps {
    size_t count;
    struct gl_cap *items; /* in order of path */
};
int gl_budget_caps(struct gl_ledger *ledger, struct gl_caps *out, struct gl_error *err);
void gl_caps_done(struct gl_caps *caps);

/* Under that cap. `without` is a launch whose reservation is left out; NULL = none. Errors: of the
 * ledger, UNKNOWN_NAME of a time zone that this machine does not have. */
int gl_budget_state(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                    int64_t now_ms, const char *without, struct gl_account_state *out,
                    struct gl_error *err);
/* Accounts that something was charged to or that have a cap without "{tag}", in order; calls for
 * each until it returns non-zero. */
int gl_budget_accounts(struct gl_ledger *ledger, void *cookie,
                       int (*each)(void *cookie, const char *path), struct gl_error *err);
/* What was spent in equal slices that end at until_s, into out_slices (grams or money). */
int gl_budget_slices(struct gl_ledger *ledger, const char *path, bool is_money, int64_t slice_s,
                     int64_t until_s, size_t count, int64_t *out_slices, struct gl_error *err);
/* The reservation of a launch: false when there is none. Its accounts are those without another
 * below them. */
int gl_budget_hold(struct gl_ledger *ledger, const char *launch, bool *out_is_held,
                   struct gl_amount *out, struct gl_error *err);
/* Launches whose reservation of an account counts at that instant; GL_UNKNOWN: those that have
 * lapsed as well. */
int gl_budget_holders(struct gl_ledger *ledger, const char *path, int64_t at_ms, void *cookie,
                      int (*each)(void *cookie, const char *launch, const struct gl_amount *held),
                      struct gl_error *err);

/* "1.6 kg of 8 kg left this week until ..., 6.1 kg spent, 0.3 kg reserved" */
void gl_budget_left_text(const struct gl_cap *cap, const struct gl_account_state *state,
                         bool is_money, struct gl_str *out);
/* "budget org/ml has reached 80 %: 1.6 kg of 8 kg left ..." */
void gl_budget_warning_text(const struct gl_cap *cap, const char *path,
                            const struct gl_account_state *state, int64_t ppm, struct gl_str *out);
void gl_money_text(int64_t u_usd, struct gl_str *out); /* "12.30 USD" */
void gl_grams_text(int64_t ug, struct gl_str *out);

#endif

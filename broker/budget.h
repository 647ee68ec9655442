/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_H
#define GL_BROKER_BUDGET_H

/* Accounts of carbon and money in the ledger: caps, reservations, what was spent, transfers. All of
 * it is written as events of the chain, with a projection in the same transaction; a reservation is
 * tried against every cap above its accounts inside that transaction, so that launches of several
 * processes can never overspend together. Decides nothing beyond policy/budget.h.
 *
 * An event's member "budget" is one of:
 *   {"op":"reserve","accounts":[...],"caps":[...],"ug","u_usd","until_ms","override"}  of a launch,
 *     in its "intent"; a later one of the launch takes the place of the earlier
 *   {"op":"spend","ug","u_usd","from_ms","until_ms"}  in its end: ends the reservation
 *   {"op":"set","cap":{...}}  {"op":"unset","path"}  {"op":"move","from","to","deltas":[...]}
 * A launch that ends without "spend" gives its reservation back; one that never ends does so with
 * its lease. */

#include "broker/ledger.h"
#include "policy/budget.h"

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
 * reference. */
json_t *gl_charge_json(const struct gl_payer *payer);
/* The "budget" of an intent, made of that of its plan. `wanted` may hold what is not known. New
 * reference. */
json_t *gl_budget_reserve_json(const json_t *charge, const struct gl_amount *wanted,
                               int64_t until_ms);
/* The "budget" of an end. */
json_t *gl_budget_spend_json(const struct gl_amount *spent, int64_t from_ms, int64_t until_ms);

/* What a launch may take at most: the account of its plan (broker/account.h) as if its meter never
 * spoke, at the high bound of power, grid and embodied share, and the price of its offer, for all
 * of its lease. A member that cannot be told is GL_UNKNOWN. Errors: of gl_account(). */
int gl_budget_of_plan(const json_t *plan, int64_t start_ms, int64_t lease_s, struct gl_amount *out,
                      struct gl_error *err);
/* What it took: the central figure of a receipt's derived part and the price of its time; where the
 * carbon is not known what was reserved. */
void gl_budget_of_receipt(const json_t *receipt, const struct gl_amount *held,
                          struct gl_amount *out);

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

/* ---- reading ---- */

struct gl_caps {
    size_t count;
    struct gl_cap *items; /* in order of path */
};
int gl_budget_caps(struct gl_ledger *ledger, struct gl_caps *out, struct gl_error *err);
void gl_caps_done(struct gl_caps *caps);

/* One account now. */
struct gl_account_state {
    struct gl_stretch_of_time window;
    struct gl_balance balance;
    int64_t
        unknown; /* launches in it whose carbon or, under a limit of money, price is not known */
};
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
/* Launches that hold something of an account. */
int gl_budget_holders(struct gl_ledger *ledger, const char *path, void *cookie,
                      int (*each)(void *cookie, const char *launch, const struct gl_amount *held),
                      struct gl_error *err);

/* "1.6 kg of 8 kg left this week until ..., 6.1 kg spent, 0.3 kg reserved" */
void gl_budget_left_text(const struct gl_cap *cap, const struct gl_account_state *state,
                         bool is_money, struct gl_str *out);
void gl_money_text(int64_t u_usd, struct gl_str *out); /* "12.30 USD" */
void gl_grams_text(int64_t ug, struct gl_str *out);

#endif

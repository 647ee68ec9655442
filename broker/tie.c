/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tie.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/account.h"
#include "broker/proof.h"
#include "policy/facts.h"

void gl_tie_token(const char *launch, int64_t attempt, const char *plan_sha256,
                  const char *order_sha256, char out[GL_HASH_HEX])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;

    gl_str_addf(&text, "%s|%" PRId64 "|%s|%s", launch, attempt, plan_sha256, order_sha256);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_hash_hex(&hash, out);
}

/* ---- inside the receipt ---- */

static const json_t *at(const json_t *evidence, const char *object, const char *key)
{
    return json_object_get(json_object_get(evidence, object), key);
}

/* A text of the document in an error, without its control bytes. */
static int differ(struct gl_error *err, const char *path, const char *found, const char *rule)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {.ceiling = 100};

    if (found == NULL)
        return gl_fail(err, GL_E_NOT_VERIFIED, "%s is absent", path);
    gl_str_add_printable(&shown, found, strlen(found));
    return gl_fail(err, GL_E_NOT_VERIFIED, "%s is \"%s\", %s", path, gl_str_text(&shown), rule);
}

static bool is_listed(const json_t *zones, const json_t *zone)
{
    for (size_t i = 0; i < json_array_size(zones); i++)
        if (json_is_string(zone) && json_equal(json_array_get(zones, i), zone))
            return true;
    return false;
}

static bool is_disputed(const json_t *evidence)
{
    const char *mapping = json_string_value(at(evidence, "offer", "mapping"));

    return mapping != NULL && strcmp(mapping, gl_mapping_word(GL_MAP_DISPUTED)) == 0;
}

static int check_list_zones(const json_t *series, const char *name, const json_t *zones,
                            struct gl_error *err)
{
    char path[64];

    for (size_t i = 0; i < json_array_size(series); i++) {
        const json_t *zone = json_object_get(json_array_get(series, i), "zone");

        snprintf(path, sizeof path, "evidence.%s[%zu].zone", name, i);
        if (!is_listed(zones, zone))
            return differ(err, path, json_string_value(zone),
                          "which is no zone that this launch may stand in");
    }
    return 0;
}

static int check_series_zones(const json_t *evidence, const json_t *zones, struct gl_error *err)
{
    if (check_list_zones(json_object_get(evidence, "series"), "series", zones, err) != 0)
        return -1;
    return check_list_zones(at(evidence, "guarantee", "series"), "guarantee.series", zones, err);
}

/* ---- the places of a run that was paused or moved ---- */

/* The first stretch of the same move, this one at the latest. */
static const json_t *first_of_move(const json_t *spans, const json_t *move)
{
    for (size_t i = 0; i < json_array_size(spans); i++)
        if (move != NULL && json_equal(json_object_get(json_array_get(spans, i), "move"), move))
            return json_array_get(spans, i);
    return NULL;
}

static bool is_same(const json_t *a, const json_t *b, const char *key)
{
    const json_t *found = json_object_get(a, key);

    return found != NULL && json_object_get(b, key) != NULL &&
           json_equal(found, json_object_get(b, key));
}

static int check_span(const json_t *spans, size_t index, const json_t *zones, struct gl_error *err)
{
    const json_t *span = json_array_get(spans, index), *zone = json_object_get(span, "zone");
    const json_t *move = json_object_get(span, "move"), *first = first_of_move(spans, move);
    char path[64];

    snprintf(path, sizeof path, "evidence.instance.spans[%zu].zone", index);
    if (!json_is_string(zone))
        return differ(err, path, NULL, "");
    if (move == NULL && !is_listed(zones, zone) &&
        (json_string_length(zone) > 0 || (index == 0 && json_array_size(zones) > 0)))
        return differ(err, path, json_string_value(zone),
                      "which is not among evidence.offer.zones, and no move led there");
    if (move != NULL && (index == 0 || !is_same(span, first, "zone")))
        return differ(err, path, json_string_value(zone), "which is not where its move led");
    if (move != NULL && !is_same(span, first, "region"))
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "evidence.instance.spans[%zu].region is not where its move led", index);
    return 0;
}

static int check_moved_series(const json_t *evidence, struct gl_error *err)
{
    const json_t *spans = at(evidence, "instance", "spans");
    const json_t *series = at(evidence, "instance", "series");
    char path[64];

    for (size_t i = 0; i < json_array_size(series); i++) {
        const json_t *item = json_array_get(series, i), *zone = json_object_get(item, "zone");

        snprintf(path, sizeof path, "evidence.instance.series[%zu].zone", i);
        if (!is_same(item, first_of_move(spans, json_object_get(item, "move")), "zone"))
            return differ(err, path, json_string_value(zone), "which is not where its move led");
    }
    return 0;
}

static int check_spans(const json_t *evidence, const json_t *zones, struct gl_error *err)
{
    const json_t *instance = json_object_get(evidence, "instance");
    const json_t *spans = json_object_get(instance, "spans");
    const json_t *last = json_array_get(spans, json_array_size(spans) - 1);

    for (size_t i = 0; i < json_array_size(spans); i++)
        if (check_span(spans, i, zones, err) != 0)
            return -1;
    if (!is_same(instance, last, "zone"))
        return differ(err, "evidence.instance.zone",
                      json_string_value(json_object_get(instance, "zone")),
                      "which is not that of its last stretch");
    return check_moved_series(evidence, err);
}

/* The candidates that the region table gave, as the offer kept them. */
static int check_offer_zones(const json_t *evidence, const json_t *zones, int64_t method,
                             struct gl_error *err)
{
    const json_t *zone = at(evidence, "instance", "zone");
    bool has_spans = method >= 3 && at(evidence, "instance", "spans") != NULL;

    if (!json_is_array(zones))
        return differ(err, "evidence.offer.zones", NULL, "");
    if (json_array_size(zones) > (is_disputed(evidence) ? 2 : 1))
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "evidence.offer.zones holds %zu zones: only a disputed region has two",
                       json_array_size(zones));
    if (has_spans && check_spans(evidence, zones, err) != 0)
        return -1;
    if (!has_spans && (json_array_size(zones) > 0
                           ? !is_listed(zones, zone)
                           : json_string_value(zone) == NULL || json_string_length(zone) > 0))
        return differ(err, "evidence.instance.zone", json_string_value(zone),
                      "which is not among evidence.offer.zones");
    return check_series_zones(evidence, zones, err);
}

static int check_zones(const json_t *evidence, int64_t method, struct gl_error *err)
{
    const json_t *zones = at(evidence, "offer", "zones");
    json_t *zone = json_object_get(json_object_get(evidence, "instance"), "zone");

    if (json_object_get(evidence, "offer") != NULL && (zones != NULL || method >= 2))
        return check_offer_zones(evidence, zones, method, err);
    if (is_disputed(evidence) || (zone == NULL && method < 2))
        return 0;
    if (at(evidence, "instance", "spans") != NULL)
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "evidence.instance.spans: what was never launched was never moved");
    GL_AUTO(gl_auto_json) json_t *only = json_pack("[O?]", zone);
    return check_series_zones(evidence, only, err);
}

static int check_time(const json_t *evidence, const char *key, int64_t expected,
                      struct gl_error *err)
{
    const json_t *found = at(evidence, "guarantee", key);

    if (json_is_integer(found) && json_integer_value(found) == expected)
        return 0;
    if (!json_is_integer(found))
        return gl_fail(err, GL_E_NOT_VERIFIED, "evidence.guarantee.%s is no time", key);
    return gl_fail(err, GL_E_NOT_VERIFIED,
                   "evidence.guarantee.%s is %" JSON_INTEGER_FORMAT
                   ", decision and request give %" PRId64,
                   key, json_integer_value(found), expected);
}

/* What was promised is what was asked at the time of the decision. */
static int check_guarantee(const json_t *evidence, int64_t method, struct gl_error *err)
{
    const json_t *decided = at(evidence, "decision", "at_s");
    const json_t *asked = at(evidence, "request", "duration_s");
    int64_t until_s;

    if (!json_is_object(json_object_get(evidence, "guarantee")) ||
        (method < 2 && (decided == NULL || asked == NULL)))
        return 0;
    if (!json_is_integer(decided))
        return differ(err, "evidence.decision.at_s", NULL, "");
    if (!json_is_integer(asked))
        return differ(err, "evidence.request.duration_s", NULL, "");
    if (__builtin_add_overflow((int64_t)json_integer_value(decided),
                               (int64_t)json_integer_value(asked), &until_s))
        until_s = INT64_MAX;
    if (check_time(evidence, "from_s", json_integer_value(decided), err) != 0)
        return -1;
    return check_time(evidence, "until_s", until_s, err);
}

static int plan_hash(const json_t *evidence, char out[GL_HASH_HEX], struct gl_error *err)
{
    static const char *const of_the_run[] = {"launch", "name", "demo", "issued_ms", "instance"};
    GL_AUTO(gl_auto_json) json_t *plan = json_copy((json_t *)(uintptr_t)evidence);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_hash hash;

    for (size_t i = 0; i < sizeof of_the_run / sizeof of_the_run[0]; i++)
        json_object_del(plan, of_the_run[i]);
    json_object_set_new(
        plan, "meter",
        json_pack("{s:O?}", "interval_ms",
                  json_object_get(json_object_get(evidence, "meter"), "interval_ms")));
    text = gl_json_canonical(plan, err);
    if (text == NULL)
        return -1;
    gl_hash_of(text, strlen(text), &hash);
    gl_hash_hex(&hash, out);
    return 0;
}

static int check_plan(const json_t *evidence, struct gl_error *err)
{
    const char *said = json_string_value(at(evidence, "instance", "plan_sha256"));
    char hash[GL_HASH_HEX], rule[32 + GL_HASH_HEX];

    if (plan_hash(evidence, hash, err) != 0)
        return -1;
    snprintf(rule, sizeof rule, "the plan gives %s", hash);
    return said != NULL && strcmp(said, hash) == 0
               ? 0
               : differ(err, "evidence.instance.plan_sha256", said, rule);
}

static int check_token(const json_t *evidence, struct gl_error *err)
{
    const char *launch = json_string_value(json_object_get(evidence, "launch"));
    const char *plan = json_string_value(at(evidence, "instance", "plan_sha256"));
    const char *order = json_string_value(at(evidence, "instance", "order_sha256"));
    const char *token = json_string_value(at(evidence, "instance", "token"));
    const json_t *attempt = at(evidence, "instance", "attempt");
    char expected[GL_HASH_HEX], rule[64 + GL_HASH_HEX];

    if (order == NULL)
        return differ(err, "evidence.instance.order_sha256", NULL, "");
    if (!json_is_integer(attempt))
        return differ(err, "evidence.instance.attempt", NULL, "");
    gl_tie_token(launch != NULL ? launch : "", json_integer_value(attempt), plan, order, expected);
    snprintf(rule, sizeof rule, "launch, attempt and hashes give %s", expected);
    return token != NULL && strcmp(token, expected) == 0
               ? 0
               : differ(err, "evidence.instance.token", token, rule);
}

/* A command on the host was neither decided nor ordered. */
static int check_order(const json_t *evidence, int64_t method, struct gl_error *err)
{
    const char *cloud = json_string_value(at(evidence, "instance", "cloud"));

    if (json_object_get(evidence, "offer") == NULL) {
        if (method < 2 || (cloud != NULL && strcmp(cloud, GL_METHOD_HOST) == 0))
            return 0;
        return differ(err, "evidence.offer", NULL, "");
    }
    if (method < 2 && at(evidence, "instance", "plan_sha256") == NULL)
        return 0;
    if (check_plan(evidence, err) != 0)
        return -1;
    if (method < 2 && at(evidence, "instance", "order_sha256") == NULL)
        return 0;
    return check_token(evidence, err);
}

int gl_tie_check(const json_t *evidence, struct gl_error *err)
{
    int64_t method;

    if (gl_account_method(evidence, &method, err) != 0 || check_zones(evidence, method, err) != 0 ||
        check_guarantee(evidence, method, err) != 0 || gl_proof_check(evidence, err) != 0)
        return -1;
    return check_order(evidence, method, err);
}

/* ---- to the ledger ---- */

struct seal {
    const char *token;
    json_t *instance;
};

static int take_intent(void *cookie, const json_t *event)
{
    static const char *const hashes[] = {"plan_sha256", "order_sha256"};
    const struct seal *seal = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *token = json_string_value(json_object_get(body, "token"));
    const char *kind = json_string_value(json_object_get(event, "kind"));

    if (kind != NULL && strcmp(kind, "identity") == 0)
        gl_proof_take(seal->instance, body);
    for (size_t i = 0; i < 2 && token != NULL && strcmp(token, seal->token) == 0; i++)
        if (json_object_get(body, hashes[i]) != NULL)
            json_object_set(seal->instance, hashes[i], json_object_get(body, hashes[i]));
    return 0;
}

int gl_tie_seal(struct gl_ledger *ledger, const char *launch, const char *token, json_t *instance,
                struct gl_error *err)
{
    struct seal seal = {token, instance};

    return gl_ledger_events(ledger, launch, &seal, take_intent, err);
}

/* What the events of one launch are held against; NULL = not looked at. */
struct held {
    const char *launch, *token, *plan_sha256, *receipt_sha256;
    json_t *moves; /* by number: what the events "move" said */
    bool is_seen;
    struct gl_error *err;
};

static int hold_hash(struct held *held, const json_t *event, const char *key, const char *expected)
{
    const char *said = json_string_value(json_object_get(json_object_get(event, "body"), key));

    if (said == NULL || expected == NULL)
        return 0;
    held->is_seen = true;
    if (strcmp(said, expected) == 0)
        return 0;
    return gl_fail(held->err, GL_E_TAMPERED,
                   "launch %s: event %" JSON_INTEGER_FORMAT " of the ledger says %s %.16s..., "
                   "not %.16s...",
                   held->launch, json_integer_value(json_object_get(event, "seq")), key, said,
                   expected);
}

static void note_move(struct held *held, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));
    char number[24];

    if (held->moves == NULL || kind == NULL || strcmp(kind, "move") != 0)
        return;
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(event, "seq")));
    json_object_set(held->moves, number, json_object_get(event, "body"));
}

static int hold_event(void *cookie, const json_t *event)
{
    struct held *held = cookie;

    note_move(held, event);
    const char *token;

    token = json_string_value(json_object_get(json_object_get(event, "body"), "token"));
    if (hold_hash(held, event, "receipt_sha256", held->receipt_sha256) != 0)
        return -1;
    if (token == NULL || held->token == NULL || strcmp(token, held->token) != 0)
        return 0;
    return hold_hash(held, event, "plan_sha256", held->plan_sha256);
}

static int hold(struct gl_ledger *ledger, struct held *held, struct gl_error *err)
{
    if (gl_ledger_events(ledger, held->launch, held, hold_event, err) != 0 || err->code != GL_OK)
        return -1;
    return 0;
}

/* What the ledger said of the move of a stretch or series; NULL = it has no such event. */
static const json_t *move_of(const struct held *held, const json_t *item)
{
    char number[24];

    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(item, "move")));
    return json_object_get(held->moves, number);
}

static bool has_series(const json_t *move, const json_t *series)
{
    GL_AUTO(gl_auto_json) json_t *bare = json_copy((json_t *)(uintptr_t)series);
    const json_t *list = json_object_get(move, "series");

    json_object_del(bare, "move");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), bare))
            return true;
    return false;
}

static int not_moved(const struct held *held, const char *what, size_t index)
{
    return gl_fail(held->err, GL_E_TAMPERED,
                   "launch %s: evidence.instance.%s[%zu] is not what the ledger says of its move",
                   held->launch, what, index);
}

/* Where it went and what was known there stood in the ledger before it went. */
static int hold_moves(const struct held *held, const json_t *instance)
{
    const json_t *spans = json_object_get(instance, "spans");
    const json_t *series = json_object_get(instance, "series");

    for (size_t i = 0; i < json_array_size(spans); i++) {
        const json_t *span = json_array_get(spans, i), *move = move_of(held, span);

        if (json_object_get(span, "move") != NULL &&
            (!is_same(span, move, "zone") || !is_same(span, move, "region")))
            return not_moved(held, "spans", i);
    }
    for (size_t i = 0; i < json_array_size(series); i++)
        if (!has_series(move_of(held, json_array_get(series, i)), json_array_get(series, i)))
            return not_moved(held, "series", i);
    return 0;
}

static void hex_of(const char *text, char out[GL_HASH_HEX])
{
    struct gl_hash hash;

    gl_hash_of(text, strlen(text), &hash);
    gl_hash_hex(&hash, out);
}

int gl_tie_receipt(struct gl_ledger *ledger, const json_t *receipt, const char *bytes,
                   bool *out_seen, struct gl_error *err)
{
    const json_t *evidence = json_object_get(receipt, "evidence");
    GL_AUTO(gl_auto_json) json_t *moves = json_object();
    char hash[GL_HASH_HEX];
    struct held held = {.launch = json_string_value(json_object_get(evidence, "launch")),
                        .moves = moves,
                        .token = json_string_value(at(evidence, "instance", "token")),
                        .plan_sha256 = json_string_value(at(evidence, "instance", "plan_sha256")),
                        .receipt_sha256 = hash,
                        .err = err};

    hex_of(bytes, hash);
    if (hold(ledger, &held, err) != 0 ||
        (held.is_seen && hold_moves(&held, json_object_get(evidence, "instance")) != 0))
        return -1;
    *out_seen = held.is_seen;
    return 0;
}

int gl_tie_row(struct gl_ledger *ledger, const struct gl_launch_row *row, struct gl_error *err)
{
    char plan[GL_HASH_HEX], receipt[GL_HASH_HEX];
    struct held held = {.launch = row->launch,
                        .token = row->token,
                        .plan_sha256 = row->plan[0] != '\0' ? plan : NULL,
                        .receipt_sha256 = row->receipt[0] != '\0' ? receipt : NULL,
                        .err = err};

    hex_of(row->plan, plan);
    hex_of(row->receipt, receipt);
    return hold(ledger, &held, err);
}

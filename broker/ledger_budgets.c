/* SPDX-License-Identifier: Apache-2.0 */
/* The projection of accounts: what an event does to caps, reservations, spendings and transfers. */
#include <stdio.h>
#include <string.h>

#include "broker/budget_part.h"

#define HOUR_MS      3600000
#define HOURS_MAX    64
#define PIECE_MS_MIN 60000

__extension__ typedef __int128 wide;

void gl_budget_bind(sqlite3_stmt *statement, int index, int64_t amount)
{
    if (amount == GL_UNKNOWN)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_int64(statement, index, amount);
}

int64_t gl_budget_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : GL_UNKNOWN;
}

/* "HEAD schema.TAIL" as one statement. */
static int prepare(struct gl_ledger *ledger, const char *head, const char *schema, const char *tail,
                   sqlite3_stmt **out, struct gl_error *err)
{
    char text[256];

    snprintf(text, sizeof text, "%s %s.%s", head, schema, tail);
    return gl_ledger_prepare(ledger, text, out, err);
}

static int finish(struct gl_ledger *ledger, sqlite3_stmt *statement, struct gl_error *err)
{
    return sqlite3_step(statement) == SQLITE_DONE ? 0
                                                  : gl_ledger_fail(ledger->db, "cannot write", err);
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static int forget_hold(struct gl_ledger *ledger, const char *schema, const char *launch,
                       struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (prepare(ledger, "DELETE FROM", schema, "holds WHERE launch=?", &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    return finish(ledger, statement, err);
}

/* ---- caps ---- */

static int put_cap(struct gl_ledger *ledger, const char *schema, const json_t *cap,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(cap, err);
    STATEMENT statement = NULL;
    struct gl_cap read;

    if (text == NULL || gl_cap_of_json(cap, &read, err) != 0 ||
        prepare(ledger, "INSERT OR REPLACE INTO", schema, "caps VALUES(?,?)", &statement, err) != 0)
        return -1;
    bind_text(statement, 1, read.path);
    bind_text(statement, 2, text);
    return finish(ledger, statement, err);
}

static int apply_set(struct gl_ledger *ledger, const char *schema, const char *launch,
                     const json_t *budget, struct gl_error *err)
{
    (void)launch;
    return put_cap(ledger, schema, json_object_get(budget, "cap"), err);
}

static int apply_unset(struct gl_ledger *ledger, const char *schema, const char *launch,
                       const json_t *budget, struct gl_error *err)
{
    STATEMENT statement = NULL;
    const char *path;

    (void)launch;
    if (gl_json_string(budget, "path", &path, err) != 0 ||
        prepare(ledger, "DELETE FROM", schema, "caps WHERE path=?", &statement, err) != 0)
        return -1;
    bind_text(statement, 1, path);
    return finish(ledger, statement, err);
}

/* ---- launches that go on from others ---- */

/* What is left of a reservation when so much is taken off it goes to the launch that it came from,
 * as long as that holds something. */
static int give_back(struct gl_ledger *ledger, const char *schema, const char *launch,
                     const char *from, const struct gl_amount *spent, struct gl_error *err)
{
    STATEMENT statement = NULL;
    char text[320];

    snprintf(text, sizeof text,
             "UPDATE %s.holds AS o SET ug=o.ug+coalesce(max(0,n.ug-?3),0),"
             " u_usd=o.u_usd+coalesce(max(0,n.u_usd-?4),0) FROM %s.holds AS n"
             " WHERE n.launch=?1 AND o.launch=?2 AND n.path=o.path",
             schema, schema);
    if (gl_ledger_prepare(ledger, text, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    bind_text(statement, 2, from);
    gl_budget_bind(statement, 3, spent->ug);
    gl_budget_bind(statement, 4, spent->u_usd);
    return finish(ledger, statement, err);
}

/* The other keeps what this one does not hold now, and no less than it has used. */
static int take_from(struct gl_ledger *ledger, const char *schema, const char *launch,
                     const json_t *from, struct gl_error *err)
{
    STATEMENT statement = NULL;
    const char *other;
    char text[320];

    snprintf(text, sizeof text,
             "UPDATE %s.holds AS o SET ug=coalesce(max(?3,o.ug-n.ug),o.ug),"
             " u_usd=coalesce(max(?4,o.u_usd-n.u_usd),o.u_usd) FROM %s.holds AS n"
             " WHERE n.launch=?1 AND o.launch=?2 AND n.path=o.path",
             schema, schema);
    if (gl_json_string(from, "launch", &other, err) != 0 ||
        gl_ledger_prepare(ledger, text, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    bind_text(statement, 2, other);
    gl_budget_bind(statement, 3, gl_budget_member(from, "ug"));
    gl_budget_bind(statement, 4, gl_budget_member(from, "u_usd"));
    return finish(ledger, statement, err);
}

/* Of ?1 the launch that it came from, unless that one stays: what it holds is said there, whichever
 * of both events comes first. */
#define CAME_FROM                                                                    \
    "WITH own AS (SELECT json_extract(body,'$.budget.from.launch') AS other"         \
    " FROM main.events WHERE launch=?1 AND kind='intent' ORDER BY seq DESC LIMIT 1)" \
    " SELECT other FROM own WHERE NOT EXISTS (SELECT 1 FROM main.events AS e"        \
    " WHERE e.launch=own.other AND json_extract(e.body,'$.budget.op')='stay'"        \
    " AND json_extract(e.body,'$.budget.of')=?1)"

/* It is over: what it did not spend, and what it held. */
static int release(struct gl_ledger *ledger, const char *schema, const char *launch,
                   const struct gl_amount *spent, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(ledger, CAME_FROM, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        if (sqlite3_column_type(statement, 0) == SQLITE_TEXT &&
            give_back(ledger, schema, launch, (const char *)sqlite3_column_text(statement, 0),
                      spent, err) != 0)
            return -1;
        break;
    case SQLITE_DONE:
        break;
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
    return forget_hold(ledger, schema, launch, err);
}

/* ---- reservations ---- */

/* The account and all above it; those that are there already stay. */
static int put_hold(struct gl_ledger *ledger, const char *schema, const char *launch,
                    const char *account, const json_t *budget, struct gl_error *err)
{
    char path[GL_ACCOUNT_PATH];

    if (!gl_account_was_pattern(account) || strchr(account, '{') != NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "bad account in the ledger");
    snprintf(path, sizeof path, "%s", account);
    do {
        STATEMENT statement = NULL;

        if (prepare(ledger, "INSERT OR IGNORE INTO", schema, "holds VALUES(?,?,?,?,?)", &statement,
                    err) != 0)
            return -1;
        bind_text(statement, 1, launch);
        bind_text(statement, 2, path);
        gl_budget_bind(statement, 3, gl_budget_member(budget, "ug"));
        gl_budget_bind(statement, 4, gl_budget_member(budget, "u_usd"));
        sqlite3_bind_int64(statement, 5, gl_budget_member(budget, "until_ms"));
        if (finish(ledger, statement, err) != 0)
            return -1;
    } while (gl_account_up(path));
    return 0;
}

static int apply_reserve(struct gl_ledger *ledger, const char *schema, const char *launch,
                         const json_t *budget, struct gl_error *err)
{
    const json_t *from = json_object_get(budget, "from"), *item;
    const char *other = json_string_value(json_object_get(from, "launch"));
    size_t i;

    if ((other != NULL &&
         give_back(ledger, schema, launch, other, &(struct gl_amount){0, 0}, err) != 0) ||
        forget_hold(ledger, schema, launch, err) != 0)
        return -1;
    json_array_foreach(json_object_get(budget, "caps"), i,
                       item) if (put_cap(ledger, schema, item, err) != 0) return -1;
    json_array_foreach(json_object_get(budget, "accounts"), i, item)
    {
        const char *account = json_string_value(item);

        if (put_hold(ledger, schema, launch, account != NULL ? account : "", budget, err) != 0)
            return -1;
    }
    return from != NULL ? take_from(ledger, schema, launch, from, err) : 0;
}

static int change_hold(struct gl_ledger *ledger, const char *tail, const char *schema,
                       const char *launch, const json_t *budget, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (prepare(ledger, "UPDATE", schema, tail, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    gl_budget_bind(statement, 2, gl_budget_member(budget, "ug"));
    gl_budget_bind(statement, 3, gl_budget_member(budget, "u_usd"));
    return finish(ledger, statement, err);
}

/* It has taken more than it reserved; what was not known stays so. */
static int apply_grow(struct gl_ledger *ledger, const char *schema, const char *launch,
                      const json_t *budget, struct gl_error *err)
{
    return change_hold(ledger,
                       "holds SET ug=max(ug,coalesce(?2,ug)), u_usd=max(u_usd,coalesce(?3,u_usd))"
                       " WHERE launch=?1",
                       schema, launch, budget, err);
}

/* What both hold together becomes this for the one, and the rest for the other. */
static int divide(struct gl_ledger *ledger, const char *schema, const char *launch,
                  const json_t *budget, const char *other, struct gl_error *err)
{
    STATEMENT statement = NULL;
    char text[320];

    snprintf(text, sizeof text,
             "UPDATE %s.holds AS n SET ug=coalesce(max(0,o.ug+n.ug-?3),n.ug),"
             " u_usd=coalesce(max(0,o.u_usd+n.u_usd-?4),n.u_usd) FROM %s.holds AS o"
             " WHERE n.launch=?1 AND o.launch=?2 AND n.path=o.path",
             schema, schema);
    if (gl_ledger_prepare(ledger, text, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, other);
    bind_text(statement, 2, launch);
    gl_budget_bind(statement, 3, gl_budget_member(budget, "ug"));
    gl_budget_bind(statement, 4, gl_budget_member(budget, "u_usd"));
    return finish(ledger, statement, err);
}

/* It goes on alone, with just this; what is not known leaves what it holds. */
static int apply_stay(struct gl_ledger *ledger, const char *schema, const char *launch,
                      const json_t *budget, struct gl_error *err)
{
    const char *other = json_string_value(json_object_get(budget, "of"));

    if (other != NULL && divide(ledger, schema, launch, budget, other, err) != 0)
        return -1;
    return change_hold(ledger,
                       "holds SET ug=coalesce(?2,ug), u_usd=coalesce(?3,u_usd)"
                       " WHERE launch=?1",
                       schema, launch, budget, err);
}

/* It needs no more than this; what was not known stays so. As earlier versions undid a move. */
static int apply_ease(struct gl_ledger *ledger, const char *schema, const char *launch,
                      const json_t *budget, struct gl_error *err)
{
    return change_hold(ledger,
                       "holds SET ug=min(ug,coalesce(?2,ug)), u_usd=min(u_usd,coalesce(?3,u_usd))"
                       " WHERE launch=?1",
                       schema, launch, budget, err);
}

/* ---- spending ---- */

/* Piece i of n: what is left over by division goes to the last. */
static int64_t piece_of(int64_t amount, int64_t i, int64_t n)
{
    if (amount == GL_UNKNOWN)
        return GL_UNKNOWN;
    return i < n - 1 ? amount / n : amount - amount / n * (n - 1);
}

static int put_piece(struct gl_ledger *ledger, const char *schema, const char *launch,
                     int64_t at_ms, const struct gl_amount *amount, struct gl_error *err)
{
    STATEMENT statement = NULL;
    char text[160];

    snprintf(text, sizeof text,
             "INSERT INTO %s.spends SELECT path,?2,?1,?3,?4 FROM %s.holds WHERE launch=?1", schema,
             schema);
    if (gl_ledger_prepare(ledger, text, &statement, err) != 0)
        return -1;
    bind_text(statement, 1, launch);
    sqlite3_bind_int64(statement, 2, at_ms);
    gl_budget_bind(statement, 3, amount->ug);
    gl_budget_bind(statement, 4, amount->u_usd);
    return finish(ledger, statement, err);
}

/* Of a spending, as its event says it. */
struct spending {
    struct gl_amount whole;
    int64_t from_ms, until_ms;
    int64_t piece_ms; /* GL_UNKNOWN: an event of before they were written */
};

/* Evenly over its time, what has been taken until then. */
static int64_t taken_by(const struct spending *spending, int64_t amount, int64_t at_ms)
{
    if (amount == GL_UNKNOWN || at_ms >= spending->until_ms)
        return amount;
    return (int64_t)((wide)amount * (at_ms - spending->from_ms) /
                     (spending->until_ms - spending->from_ms));
}

static int64_t difference(int64_t whole, int64_t before)
{
    return whole == GL_UNKNOWN ? GL_UNKNOWN : whole - before;
}

/* Cut where windows may begin, each piece to its own. */
static int put_pieces(struct gl_ledger *ledger, const char *schema, const char *launch,
                      const struct spending *spending, struct gl_error *err)
{
    struct gl_amount before = {taken_by(spending, spending->whole.ug, spending->from_ms),
                               taken_by(spending, spending->whole.u_usd, spending->from_ms)};
    int64_t at_ms = spending->from_ms, next_ms;

    if (spending->until_ms == spending->from_ms)
        return put_piece(ledger, schema, launch, at_ms, &spending->whole, err);
    for (; at_ms < spending->until_ms; at_ms = next_ms) {
        struct gl_amount by, piece;

        next_ms = (at_ms / spending->piece_ms + 1) * spending->piece_ms;
        by = (struct gl_amount){taken_by(spending, spending->whole.ug, next_ms),
                                taken_by(spending, spending->whole.u_usd, next_ms)};
        piece =
            (struct gl_amount){difference(by.ug, before.ug), difference(by.u_usd, before.u_usd)};
        if (put_piece(ledger, schema, launch, at_ms, &piece, err) != 0)
            return -1;
        before = by;
    }
    return 0;
}

/* As events of before have it: hours from its beginning on, or as many of them as make 64 pieces.
 */
static int put_hours(struct gl_ledger *ledger, const char *schema, const char *launch,
                     const struct spending *spending, struct gl_error *err)
{
    int64_t ran_ms = spending->until_ms - spending->from_ms, pieces = ran_ms / HOUR_MS + 1;

    pieces = pieces < HOURS_MAX ? pieces : HOURS_MAX;
    for (int64_t i = 0; i < pieces; i++) {
        struct gl_amount piece = {piece_of(spending->whole.ug, i, pieces),
                                  piece_of(spending->whole.u_usd, i, pieces)};

        if (put_piece(ledger, schema, launch, spending->from_ms + ran_ms / pieces * i, &piece,
                      err) != 0)
            return -1;
    }
    return 0;
}

static int apply_spend(struct gl_ledger *ledger, const char *schema, const char *launch,
                       const json_t *budget, struct gl_error *err)
{
    struct spending spending = {
        .whole = {gl_budget_member(budget, "ug"), gl_budget_member(budget, "u_usd")},
        .piece_ms = gl_budget_member(budget, "piece_ms")};
    const bool has_pieces = spending.piece_ms != GL_UNKNOWN;

    if (gl_json_int(budget, "from_ms", 0, INT64_MAX / 2, &spending.from_ms, err) != 0 ||
        gl_json_int(budget, "until_ms", spending.from_ms, INT64_MAX / 2, &spending.until_ms, err) !=
            0)
        return -1;
    if (has_pieces &&
        (spending.piece_ms < PIECE_MS_MIN ||
         (spending.until_ms - spending.from_ms) / spending.piece_ms >= GL_BUDGET_PIECES))
        return gl_fail(err, GL_E_BAD_REPLY, "bad spending in the ledger");
    if ((has_pieces ? put_pieces : put_hours)(ledger, schema, launch, &spending, err) != 0)
        return -1;
    return release(ledger, schema, launch, &spending.whole, err);
}

/* ---- transfers ---- */

static int apply_move(struct gl_ledger *ledger, const char *schema, const char *launch,
                      const json_t *budget, struct gl_error *err)
{
    const json_t *delta;
    int64_t at_ms;
    size_t i;

    (void)launch;
    if (gl_json_int(budget, "at_ms", 0, INT64_MAX / 2, &at_ms, err) != 0)
        return -1;
    json_array_foreach(json_object_get(budget, "deltas"), i, delta)
    {
        STATEMENT statement = NULL;
        const char *path;

        if (gl_json_string(delta, "path", &path, err) != 0 ||
            prepare(ledger, "INSERT INTO", schema, "grants VALUES(?,?,?,?)", &statement, err) != 0)
            return -1;
        bind_text(statement, 1, path);
        sqlite3_bind_int64(statement, 2, at_ms);
        gl_budget_bind(statement, 3, gl_budget_member(delta, "ug"));
        gl_budget_bind(statement, 4, gl_budget_member(delta, "u_usd"));
        if (finish(ledger, statement, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- all ---- */

static const struct {
    const char *op;
    int (*apply)(struct gl_ledger *ledger, const char *schema, const char *launch,
                 const json_t *budget, struct gl_error *err);
} ops[] = {
    {"reserve", apply_reserve}, {"spend", apply_spend}, {"set", apply_set},
    {"unset", apply_unset},     {"move", apply_move},   {"grow", apply_grow},
    {"stay", apply_stay},       {"ease", apply_ease},
};

static bool is_end(const json_t *body)
{
    const char *state = json_string_value(json_object_get(body, "state"));

    return state != NULL && (strcmp(state, "ended") == 0 || strcmp(state, "lost") == 0);
}

int gl_ledger_budget_apply(struct gl_ledger *ledger, const char *schema, const char *launch,
                           const json_t *body, struct gl_error *err)
{
    const json_t *budget = json_object_get(body, "budget");
    const char *op = json_string_value(json_object_get(budget, "op"));

    for (size_t i = 0; op != NULL && i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].op, op) == 0)
            return ops[i].apply(ledger, schema, launch, budget, err);
    if (launch[0] != '\0' && is_end(body))
        return release(ledger, schema, launch, &(struct gl_amount){0, 0}, err);
    return 0;
}

/* ---- checking: the projection must follow from the chain ---- */

#define TEMP_TABLES                                                                         \
    "CREATE TEMP TABLE caps(path PRIMARY KEY, body);"                                       \
    "CREATE TEMP TABLE holds(launch, path, ug, u_usd, until_ms, PRIMARY KEY(launch,path));" \
    "CREATE TEMP TABLE spends(path, at_ms, launch, ug, u_usd);"                             \
    "CREATE TEMP TABLE grants(path, at_ms, ug, u_usd);"
#define TEMP_GONE                                                      \
    "DROP TABLE IF EXISTS temp.caps; DROP TABLE IF EXISTS temp.holds;" \
    "DROP TABLE IF EXISTS temp.spends; DROP TABLE IF EXISTS temp.grants;"

static int replay(struct gl_ledger *ledger, struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger,
                          "SELECT launch, body FROM events WHERE body LIKE '%\"budget\"%'"
                          " OR body LIKE '%\"state\":\"ended\"%' OR body LIKE"
                          " '%\"state\":\"lost\"%' ORDER BY seq",
                          &statement, err) != 0)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *launch = (const char *)sqlite3_column_text(statement, 0);
        const char *text = (const char *)sqlite3_column_text(statement, 1);
        GL_AUTO(gl_auto_json) json_t *body = gl_json_parse(text, strlen(text), "event", err);

        if (body == NULL || gl_ledger_budget_apply(ledger, "temp", launch, body, err) != 0)
            return -1;
    }
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}

/* Rows of one that the other does not have as often. */
static void add_difference(struct gl_str *sql, const char *table, const char *columns,
                           const char *a, const char *b)
{
    gl_str_addf(sql,
                "SELECT * FROM (SELECT %s,count(*) FROM %s.%s GROUP BY %s EXCEPT"
                " SELECT %s,count(*) FROM %s.%s GROUP BY %s)",
                columns, a, table, columns, columns, b, table, columns);
}

static int compare(struct gl_ledger *ledger, const char *table, const char *columns,
                   struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str sql = {0};
    STATEMENT statement = NULL;

    add_difference(&sql, table, columns, "main", "temp");
    gl_str_add(&sql, " UNION ALL ");
    add_difference(&sql, table, columns, "temp", "main");
    if (gl_ledger_prepare(ledger, gl_str_text(&sql), &statement, err) != 0)
        return -1;
    switch (sqlite3_step(statement)) {
    case SQLITE_DONE:
        return 0;
    case SQLITE_ROW:
        return gl_fail(err, GL_E_TAMPERED,
                       "ledger: the accounts (%s) are not what their events say", table);
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
}

int gl_ledger_check_budgets(struct gl_ledger *ledger, struct gl_error *err)
{
    bool has_any = false;
    int result;

    if (gl_ledger_has_table(ledger, "caps", &has_any, err) != 0)
        return -1;
    if (!has_any)
        return 0;
    result = gl_ledger_run(ledger, TEMP_GONE TEMP_TABLES, err);
    if (result == 0)
        result = replay(ledger, err);
    if (result == 0)
        result = compare(ledger, "caps", "path,body", err);
    if (result == 0)
        result = compare(ledger, "holds", "launch,path,ug,u_usd,until_ms", err);
    if (result == 0)
        result = compare(ledger, "spends", "path,at_ms,launch,ug,u_usd", err);
    if (result == 0)
        result = compare(ledger, "grants", "path,at_ms,ug,u_usd", err);
    sqlite3_exec(ledger->db, TEMP_GONE, NULL, NULL, NULL);
    return result;
}

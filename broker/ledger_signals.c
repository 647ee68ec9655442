/* SPDX-License-Identifier: Apache-2.0 */
/* The projection of demand signals: one row of fixed length a signal, its texts in a table that all
 * share. Made from the events "demand" and "demand-cost" in their order and from nothing else, so
 * that it can be made again at any time and compared. A sum over its rows shows at every reading
 * that a row is missing, doubled or another. */
#include "broker/ledger_signals.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mix.h"

/* ---- a signal as a row ---- */

#define AT(member) offsetof(struct gl_demand, member)
static const struct {
    size_t at, size;
} texts[GL_SIGNAL_TEXTS] = {
    {AT(provider), GL_DEMAND_NAME},       {AT(region), GL_DEMAND_NAME},
    {AT(family), GL_DEMAND_NAME},         {AT(rule), GL_DEMAND_RULE},
    {AT(instead_region), GL_DEMAND_NAME},
};
static const size_t numbers[] = {AT(limit_u), AT(found_u),  AT(wanted_ms), AT(gpu_ms),
                                 AT(lost_ms), AT(extra_ug), AT(at_ms)};
#define NUMBERS (sizeof numbers / sizeof numbers[0])
#define KEY     (GL_DEMAND_KEY / 2)
#define WORDS   6
_Static_assert(GL_SIGNAL_BYTES == GL_SIGNAL_TEXTS * 4 + NUMBERS * 8 + KEY + WORDS,
               "a row is as long as its members");
_Static_assert((int)GL_KEYS <= UINT8_MAX, "a key fits a byte");

static uint8_t *put(uint8_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *to++ = (uint8_t)(number >> 8 * i);
    return to;
}

static uint64_t get(const uint8_t *from, size_t bytes)
{
    uint64_t number = 0;

    memcpy(&number, from, bytes);
    return le64toh(number);
}

static unsigned digit(char letter)
{
    return (unsigned)(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

void gl_signal_pack(const struct gl_demand *demand, const uint32_t ids[GL_SIGNAL_TEXTS],
                    uint8_t out[GL_SIGNAL_BYTES])
{
    const int words[WORDS] = {(int)demand->kind,  (int)demand->capability, demand->key,
                              (int)demand->grade, (int)demand->instead,    demand->is_demo};

    for (size_t i = 0; i < GL_SIGNAL_TEXTS; i++)
        out = put(out, ids[i], 4);
    for (size_t i = 0; i < NUMBERS; i++)
        out =
            put(out,
                (uint64_t) * (const int64_t *)(const void *)((const char *)demand + numbers[i]), 8);
    for (size_t i = 0; i < KEY; i++)
        *out++ =
            (uint8_t)(digit(demand->launch_key[2 * i]) << 4 | digit(demand->launch_key[2 * i + 1]));
    for (size_t i = 0; i < WORDS; i++)
        *out++ = (uint8_t)words[i];
}

static void get_words(const uint8_t *from, struct gl_demand *out)
{
    out->kind = (enum gl_demand_kind)from[0];
    out->capability = (enum gl_capability)from[1];
    out->key = from[2];
    out->grade = (enum gl_grade)from[3];
    out->instead = (enum gl_instead)from[4];
    out->is_demo = from[5] != 0;
}

void gl_signal_unpack_rest(const uint8_t *row, struct gl_demand *out)
{
    static const char digits[] = "0123456789abcdef";

    row += GL_SIGNAL_TEXTS * 4;
    for (size_t i = 0; i < NUMBERS; i++)
        *(int64_t *)(void *)((char *)out + numbers[i]) = (int64_t)get(row + 8 * i, 8);
    row += NUMBERS * 8;
    for (size_t i = 0; i < KEY; i++, row++) {
        out->launch_key[2 * i] = digits[*row >> 4];
        out->launch_key[2 * i + 1] = digits[*row & 15];
    }
    out->launch_key[GL_DEMAND_KEY] = '\0';
    get_words(row, out);
}

bool gl_signal_unpack(const struct gl_signal_texts *pool, const uint8_t *row, struct gl_demand *out)
{
    gl_signal_unpack_rest(row, out);
    for (size_t i = 0; i < GL_SIGNAL_TEXTS; i++) {
        uint64_t id = get(row + 4 * i, 4);

        if (id < 1 || id > pool->count || pool->items[id - 1].length >= texts[i].size)
            return false;
        memcpy((char *)out + texts[i].at, pool->items[id - 1].text, pool->items[id - 1].length + 1);
    }
    return true;
}

/* ---- the sum ---- */

uint64_t gl_signal_sum(int64_t id, int64_t mark, const void *bytes, size_t length)
{
    uint64_t sum = gl_mix((uint64_t)id) ^ gl_mix((uint64_t)mark + length);
    const uint8_t *from = bytes;
    uint64_t word;

    for (; length >= sizeof word; length -= sizeof word, from += sizeof word) {
        word = get(from, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return gl_mix(sum ^ (length > 0 ? get(from, length) : 0));
}

/* ---- taking events in ---- */

struct fold {
    struct gl_ledger *ledger;
    const char *schema;
    struct gl_signal_head head;
    struct gl_jtree tree;
    sqlite3_stmt *find_text, *add_text, *put_row, *find_row;
};

static void fold_done(struct fold *fold)
{
    gl_jtree_done(&fold->tree);
    sqlite3_finalize(fold->find_text);
    sqlite3_finalize(fold->add_text);
    sqlite3_finalize(fold->put_row);
    sqlite3_finalize(fold->find_row);
}

static int prepare(struct fold *fold, const char *format, sqlite3_stmt **out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str sql = {0};

    for (; *format != '\0'; format++)
        if (*format == '$')
            gl_str_addf(&sql, "%s.", fold->schema);
        else
            gl_str_add_char(&sql, *format);
    return gl_ledger_prepare(fold->ledger, gl_str_text(&sql), out, err);
}

static int fold_begin(struct fold *fold, struct gl_error *err)
{
    if (gl_signal_head_read(fold->ledger, fold->schema, &fold->head, err) != 0 ||
        prepare(fold, "SELECT id FROM $demand_texts WHERE text = ?", &fold->find_text, err) != 0 ||
        prepare(fold, "INSERT INTO $demand_texts(text) VALUES(?)", &fold->add_text, err) != 0 ||
        prepare(fold, "INSERT OR REPLACE INTO $demand_signals VALUES(?,?,?,?)", &fold->put_row,
                err) != 0 ||
        prepare(fold, "SELECT at_ms, open, signal FROM $demand_signals WHERE id = ?",
                &fold->find_row, err) != 0)
        return -1;
    return 0;
}

static int broken(const struct fold *fold, struct gl_error *err)
{
    return gl_ledger_fail(fold->ledger->db, "cannot keep a demand signal", err);
}

static int text_id(struct fold *fold, const char *text, uint32_t *out, struct gl_error *err)
{
    int64_t id;
    int step;

    sqlite3_reset(fold->find_text);
    sqlite3_bind_text(fold->find_text, 1, text, -1, SQLITE_STATIC);
    step = sqlite3_step(fold->find_text);
    id = step == SQLITE_ROW ? sqlite3_column_int64(fold->find_text, 0) : 0;
    sqlite3_reset(fold->find_text);
    if (step == SQLITE_DONE) {
        sqlite3_reset(fold->add_text);
        sqlite3_bind_text(fold->add_text, 1, text, -1, SQLITE_STATIC);
        step = sqlite3_step(fold->add_text);
        id = sqlite3_last_insert_rowid(fold->ledger->db);
        sqlite3_reset(fold->add_text);
        if (step == SQLITE_DONE)
            fold->head.digest += gl_signal_sum(id, -1, text, strlen(text));
    }
    if ((step != SQLITE_DONE && step != SQLITE_ROW) || id < 1 || id > UINT32_MAX)
        return broken(fold, err);
    *out = (uint32_t)id;
    return 0;
}

static int put_row(struct fold *fold, const struct gl_signal_row *row, struct gl_error *err)
{
    int step;

    sqlite3_reset(fold->put_row);
    sqlite3_bind_int64(fold->put_row, 1, row->id);
    sqlite3_bind_int64(fold->put_row, 2, row->at_ms);
    sqlite3_bind_int(fold->put_row, 3, row->is_open);
    /* No bytes would be NULL. */
    sqlite3_bind_blob(fold->put_row, 4, row->length > 0 ? (const void *)row->bytes : "",
                      (int)row->length, SQLITE_STATIC);
    step = sqlite3_step(fold->put_row);
    sqlite3_reset(fold->put_row);
    if (step != SQLITE_DONE)
        return broken(fold, err);
    fold->head.digest += gl_signal_row_sum(row);
    return 0;
}

static int put_signal(struct fold *fold, int64_t id, int64_t at_ms, const struct gl_demand *demand,
                      struct gl_error *err)
{
    bool is_open = (demand->kind == GL_DEMAND_PAUSE || demand->kind == GL_DEMAND_MOVE) &&
                   demand->lost_ms == GL_UNKNOWN;
    uint8_t bytes[GL_SIGNAL_BYTES];
    uint32_t ids[GL_SIGNAL_TEXTS];

    for (size_t i = 0; i < GL_SIGNAL_TEXTS; i++)
        if (text_id(fold, (const char *)demand + texts[i].at, &ids[i], err) != 0)
            return -1;
    gl_signal_pack(demand, ids, bytes);
    return put_row(fold, &(struct gl_signal_row){id, at_ms, is_open, bytes, sizeof bytes}, err);
}

/* An event that cannot be read has a row without a signal. */
static int take_demand(struct fold *fold, const struct gl_signal_event *event, struct gl_error *err)
{
    struct gl_demand signals[GL_DEMAND_PLACES];
    int64_t id = event->seq * GL_DEMAND_PLACES;
    size_t count;

    if (!gl_demand_of_event(&fold->tree, event->body, event->length, signals, &count))
        return put_row(fold, &(struct gl_signal_row){id, event->at_ms, false, NULL, 0}, err);
    for (size_t i = 0; i < count; i++)
        if (put_signal(fold, id + (int64_t)i, event->at_ms, &signals[i], err) != 0)
            return -1;
    return 0;
}

#define LOST_AT  (GL_SIGNAL_TEXTS * 4 + 4 * 8)
#define EXTRA_AT (GL_SIGNAL_TEXTS * 4 + 5 * 8)
#define KEY_AT   (GL_SIGNAL_TEXTS * 4 + NUMBERS * 8)

/* The later one counts; grams that were known stay where it has none. */
static bool apply_cost(const struct gl_signal_cost *cost, uint8_t bytes[GL_SIGNAL_BYTES])
{
    uint8_t key[KEY];

    for (size_t i = 0; i < KEY; i++)
        key[i] =
            (uint8_t)(digit(cost->launch_key[2 * i]) << 4 | digit(cost->launch_key[2 * i + 1]));
    if (memcmp(bytes + KEY_AT, key, sizeof key) != 0)
        return false;
    put(bytes + LOST_AT, (uint64_t)cost->lost_ms, 8);
    if (cost->extra_ug != GL_UNKNOWN)
        put(bytes + EXTRA_AT, (uint64_t)cost->extra_ug, 8);
    return true;
}

/* A cost of nothing that is there, or of another launch, is no cost: the event is broken. */
static int take_cost(struct fold *fold, const struct gl_signal_event *event, struct gl_error *err)
{
    struct gl_signal_row row = {event->seq * GL_DEMAND_PLACES, event->at_ms, false, NULL, 0}, old;
    uint8_t bytes[GL_SIGNAL_BYTES];
    struct gl_signal_cost cost;
    int step;

    if (!gl_signal_cost_of(&fold->tree, event, &cost))
        return put_row(fold, &row, err);
    sqlite3_reset(fold->find_row);
    sqlite3_bind_int64(fold->find_row, 1, cost.seq * GL_DEMAND_PLACES);
    step = sqlite3_step(fold->find_row);
    if (step == SQLITE_ROW && sqlite3_column_bytes(fold->find_row, 2) == GL_SIGNAL_BYTES) {
        memcpy(bytes, sqlite3_column_blob(fold->find_row, 2), sizeof bytes);
        old = (struct gl_signal_row){
            cost.seq * GL_DEMAND_PLACES, sqlite3_column_int64(fold->find_row, 0),
            sqlite3_column_int(fold->find_row, 1) != 0, bytes, sizeof bytes};
        row = old;
        row.is_open = false;
        fold->head.digest -= gl_signal_row_sum(&old);
        if (!apply_cost(&cost, bytes)) {
            fold->head.digest += gl_signal_row_sum(&old);
            row =
                (struct gl_signal_row){event->seq * GL_DEMAND_PLACES, event->at_ms, false, NULL, 0};
        }
    }
    sqlite3_reset(fold->find_row);
    return step == SQLITE_ROW || step == SQLITE_DONE ? put_row(fold, &row, err) : broken(fold, err);
}

static int take_event(struct fold *fold, sqlite3_stmt *statement, struct gl_error *err)
{
    const struct gl_signal_event event = {
        .seq = sqlite3_column_int64(statement, 0),
        .at_ms = sqlite3_column_int64(statement, 1),
        .body = (const char *)sqlite3_column_text(statement, 3),
        .length = (size_t)sqlite3_column_bytes(statement, 3),
    };
    const char *kind = (const char *)sqlite3_column_text(statement, 2);
    const char *hash = (const char *)sqlite3_column_text(statement, 4);

    fold->head.upto = event.seq;
    snprintf(fold->head.hash, sizeof fold->head.hash, "%s", hash != NULL ? hash : "");
    if (kind == NULL || event.body == NULL)
        return broken(fold, err);
    return strcmp(kind, "demand") == 0 ? take_demand(fold, &event, err)
                                       : take_cost(fold, &event, err);
}

static int take_events(struct fold *fold, int64_t last, int64_t most, int64_t *out_taken,
                       struct gl_error *err)
{
    STATEMENT statement = NULL;
    int64_t taken = 0;
    int step = SQLITE_DONE;

    if (gl_ledger_prepare(fold->ledger,
                          "SELECT seq, at_ms, kind, body, hash FROM main.events"
                          " WHERE seq > ? AND seq <= ? AND " GL_SIGNAL_KINDS
                          " ORDER BY seq LIMIT ?",
                          &statement, err) != 0)
        return -1;
    sqlite3_bind_int64(statement, 1, fold->head.upto);
    sqlite3_bind_int64(statement, 2, last);
    sqlite3_bind_int64(statement, 3, most);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        if (take_event(fold, statement, err) != 0)
            return -1;
        taken++;
    }
    if (step != SQLITE_DONE)
        return gl_ledger_fail(fold->ledger->db, "cannot read", err);
    *out_taken = taken;
    return 0;
}

static int write_head(struct fold *fold, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (prepare(fold, "INSERT OR REPLACE INTO $demand_head VALUES(1,?,?,?)", &statement, err) != 0)
        return -1;
    sqlite3_bind_int64(statement, 1, fold->head.upto);
    sqlite3_bind_text(statement, 2, fold->head.hash, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, (int64_t)fold->head.digest);
    return sqlite3_step(statement) == SQLITE_DONE ? 0 : broken(fold, err);
}

int gl_ledger_signals_fold(struct gl_ledger *ledger, const char *schema, int64_t last, int64_t most,
                           int64_t *out_taken, struct gl_error *err)
{
    GL_AUTO(fold_done) struct fold fold = {.ledger = ledger, .schema = schema};

    if (fold_begin(&fold, err) != 0 || take_events(&fold, last, most, out_taken, err) != 0)
        return -1;
    return *out_taken > 0 ? write_head(&fold, err) : 0;
}

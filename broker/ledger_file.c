/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the ledger's file, and what may go wrong with it. */
#include "broker/ledger_file.h"

#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 10000

/* SQLite itself knows a full disk only from writing: syncing and growing a file may find it too.
 * errno is of this transaction, for run() cleared it. */
static bool is_out_of_space(int extended)
{
    return (errno == ENOSPC || errno == EDQUOT) &&
           (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_WRITE ||
            extended == SQLITE_IOERR_TRUNCATE || extended == SQLITE_IOERR_DIR_FSYNC ||
            extended == SQLITE_IOERR_SHMSIZE);
}

int gl_ledger_fail(sqlite3 *db, const char *what, struct gl_error *err)
{
    int code = sqlite3_errcode(db) & 0xff;
    enum gl_errc errc = code == SQLITE_FULL                               ? GL_E_DISK_FULL
                        : code == SQLITE_BUSY || code == SQLITE_LOCKED    ? GL_E_LOCKED
                        : code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? GL_E_TAMPERED
                                                                          : GL_E_IO;

    if (errc == GL_E_IO && is_out_of_space(sqlite3_extended_errcode(db)))
        errc = GL_E_DISK_FULL;
    if (errc == GL_E_DISK_FULL)
        return gl_fail(err, errc, "ledger: no space left on its disk");
    return gl_fail(err, errc, "ledger: %s: %s", what, sqlite3_errmsg(db));
}

int gl_ledger_run(struct gl_ledger *ledger, const char *sql, struct gl_error *err)
{
    errno = 0;
    if (sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return gl_ledger_fail(ledger->db, "cannot write", err);
    return 0;
}

int gl_ledger_begin(struct gl_ledger *ledger, struct gl_error *err)
{
    if (ledger->unwritable.code != GL_OK)
        return gl_fail(err, ledger->unwritable.code, "%s", ledger->unwritable.text);
    return gl_ledger_run(ledger, "BEGIN IMMEDIATE", err);
}

void gl_ledger_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

int gl_ledger_prepare(struct gl_ledger *ledger, const char *sql, sqlite3_stmt **out,
                      struct gl_error *err)
{
    if (sqlite3_prepare_v2(ledger->db, sql, -1, out, NULL) != SQLITE_OK)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    return 0;
}

int gl_ledger_has_table(struct gl_ledger *ledger, const char *name, bool *out, struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger, "SELECT 1 FROM main.sqlite_schema WHERE name = ?", &statement,
                          err) != 0)
        return -1;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    *out = step == SQLITE_ROW;
    return 0;
}

#define APPLICATION_ID 1735150692 /* "glld": an SQLite file with another one is not ours */

/* AUTOINCREMENT keeps the highest number ever given, so that a missing tail shows. */
static const char first_schema[] =
    "CREATE TABLE events("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, launch "
    "TEXT NOT NULL,"
    " body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT;"
    "CREATE TABLE launches("
    " launch TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT '',"
    " cloud TEXT NOT NULL DEFAULT '', region TEXT NOT NULL DEFAULT '',"
    " type TEXT NOT NULL DEFAULT '', zone TEXT NOT NULL DEFAULT '',"
    " token TEXT NOT NULL DEFAULT '', instance TEXT NOT NULL DEFAULT '',"
    " plan TEXT NOT NULL DEFAULT '', receipt TEXT NOT NULL DEFAULT '',"
    " attempt INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL DEFAULT 0,"
    " started_ms INTEGER NOT NULL DEFAULT 0, expires_ms INTEGER NOT NULL DEFAULT 0,"
    " ended_ms INTEGER NOT NULL DEFAULT 0, exit_status INTEGER NOT NULL DEFAULT -1,"
    " is_demo INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE demands("
    " id TEXT PRIMARY KEY, need TEXT NOT NULL, seen INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX events_launch ON events(launch);"
    "CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append-only');"
    " END;"
    "CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'append-only');"
    " END;"
    "PRAGMA application_id = 1735150692;"
    "PRAGMA user_version = 1;";

static const char guarantee_schema[] =
    "CREATE TABLE guarantees("
    " id TEXT PRIMARY KEY, launch TEXT NOT NULL, state TEXT NOT NULL, zone TEXT NOT NULL,"
    " until_s INTEGER NOT NULL, body TEXT NOT NULL, settled TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE INDEX guarantees_launch ON guarantees(launch);"
    "PRAGMA user_version = 2;";

static const char budget_schema[] =
    "CREATE TABLE IF NOT EXISTS caps(path TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS holds("
    " launch TEXT NOT NULL, path TEXT NOT NULL, ug INTEGER, u_usd INTEGER,"
    " until_ms INTEGER NOT NULL, PRIMARY KEY(launch, path)) STRICT;"
    "CREATE TABLE IF NOT EXISTS spends("
    " path TEXT NOT NULL, at_ms INTEGER NOT NULL, launch TEXT NOT NULL, ug INTEGER,"
    " u_usd INTEGER) STRICT;"
    "CREATE TABLE IF NOT EXISTS grants("
    " path TEXT NOT NULL, at_ms INTEGER NOT NULL, ug INTEGER NOT NULL, u_usd INTEGER NOT NULL)"
    " STRICT;"
    "CREATE INDEX IF NOT EXISTS holds_path ON holds(path, until_ms);"
    "CREATE INDEX IF NOT EXISTS spends_path ON spends(path, at_ms);"
    "CREATE INDEX IF NOT EXISTS grants_path ON grants(path, at_ms);"
    "PRAGMA user_version = 3;";

/* Which launches a case was seen of. `demands` stays as version 3 left it: its cases were of
 * another kind. */
static const char demand_schema[] =
    "CREATE TABLE IF NOT EXISTS demand_seen("
    " fingerprint TEXT NOT NULL, launch_key TEXT NOT NULL, is_demo INTEGER NOT NULL,"
    " PRIMARY KEY(fingerprint, is_demo, launch_key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS events_demand ON events(at_ms) WHERE kind = 'demand';"
    "PRAGMA user_version = 4;";

static const char signal_schema[] = GL_LEDGER_SIGNAL_TABLES("main.") "PRAGMA user_version = 5;";

/* Step i makes version i + 1 of the version before it. */
static const char *const schema_steps[] = {first_schema, guarantee_schema, budget_schema,
                                           demand_schema, signal_schema};
#define SCHEMA_VERSION ((int64_t)(sizeof schema_steps / sizeof schema_steps[0]))

/* Ours: its version. An empty file: 0. Anything else is refused and left as it is. One statement
 * sees one state while another process may be making the schema. */
static int identify(struct gl_ledger *ledger, int64_t *out_version, struct gl_error *err)
{
    STATEMENT statement = NULL;
    int64_t version, application, tables;

    if (gl_ledger_prepare(
            ledger,
            "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)"
            " FROM pragma_user_version, pragma_application_id",
            &statement, err) != 0)
        return -1;
    if (sqlite3_step(statement) != SQLITE_ROW)
        return gl_ledger_fail(ledger->db, "cannot read", err);
    version = sqlite3_column_int64(statement, 0);
    application = sqlite3_column_int64(statement, 1);
    tables = sqlite3_column_int64(statement, 2);
    *out_version = version;
    if (tables == 0 && version == 0 && application == 0)
        return 0;
    if (application != APPLICATION_ID || version < 1)
        return gl_fail(err, GL_E_TAMPERED, "this database is no ledger");
    if (version > SCHEMA_VERSION)
        return gl_fail(err, GL_E_NEWER,
                       "the ledger is from a newer greenlaunch (version %" PRId64 ")", version);
    return 0;
}

/* Two processes may open a new or older ledger at once: the second waits for the lock, then finds
 * it made. */
static int make_schema(struct gl_ledger *ledger, struct gl_error *err)
{
    int64_t version = 0;
    bool is_made;

    if (gl_ledger_run(ledger, "BEGIN IMMEDIATE", err) != 0)
        return -1;
    is_made = identify(ledger, &version, err) == 0;
    while (is_made && version < SCHEMA_VERSION)
        is_made = gl_ledger_run(ledger, schema_steps[version++], err) == 0;
    if (!is_made || gl_ledger_run(ledger, "COMMIT", err) != 0) {
        sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    return 0;
}

/* SQLite refuses links in the whole path; only the file itself must not be one (a home may be). */
static char *without_links(const char *path, struct gl_error *err)
{
    const char *slash = strrchr(path, '/');
    GL_AUTO(gl_auto_free) char *folder = slash != NULL ? gl_strdup(path) : gl_strdup(".");
    char real[PATH_MAX];

    if (slash != NULL)
        folder[slash == path ? 1 : slash - path] = '\0';
    if (realpath(folder, real) == NULL) {
        gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
        return NULL;
    }
    return gl_path_join(real, slash != NULL ? slash + 1 : path);
}

/* Nothing is written before the file is known to be ours. */
static int set_up(struct gl_ledger *ledger, int max_pages, struct gl_error *err)
{
    char cap[64];
    int64_t version;

    sqlite3_busy_timeout(ledger->db, BUSY_MS);
    snprintf(cap, sizeof cap, "PRAGMA max_page_count = %d", max_pages);
    if (identify(ledger, &version, err) != 0 ||
        gl_ledger_run(ledger, "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", err) != 0 ||
        (max_pages > 0 && gl_ledger_run(ledger, cap, err) != 0) ||
        (version < SCHEMA_VERSION && make_schema(ledger, err) != 0))
        return -1;
    return gl_ledger_run(ledger, "PRAGMA journal_mode = WAL", err);
}

struct gl_ledger *gl_ledger_open(const char *path, const struct gl_world *world, int max_pages,
                                 struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *real = without_links(path, err);
    struct gl_ledger *ledger;

    if (real == NULL)
        return NULL;
    ledger = gl_alloc(sizeof *ledger);
    ledger->world = world;
    if (sqlite3_open_v2(real, &ledger->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
                            SQLITE_OPEN_NOMUTEX, /* there are no threads */
                        NULL) != SQLITE_OK) {
        gl_ledger_fail(ledger->db, path, err);
        gl_ledger_close(ledger);
        return NULL;
    }
    if (set_up(ledger, max_pages, err) != 0) {
        gl_wrap(err, "%s", path);
        gl_ledger_close(ledger);
        return NULL;
    }
    return ledger;
}

/* "file:PATH?immutable=1" with what is no plain letter of a path written as %XX. */
static char *immutable_uri(const char *path)
{
    struct gl_str uri = {0};

    gl_str_add(&uri, "file:");
    for (; *path != '\0'; path++)
        if (strchr("%?# ", *path) != NULL)
            gl_str_addf(&uri, "%%%02X", (unsigned char)*path);
        else
            gl_str_add_char(&uri, *path);
    gl_str_add(&uri, "?immutable=1");
    return gl_str_take(&uri);
}

static bool has_log(const char *real)
{
    GL_AUTO(gl_str_done) struct gl_str log = {0};
    struct stat info;

    gl_str_addf(&log, "%s-wal", real);
    return stat(gl_str_text(&log), &info) == 0 && info.st_size > 0;
}

/* Without a log the file alone is all there is. */
static int open_frozen(struct gl_ledger *ledger, const char *real, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *uri = immutable_uri(real);
    struct stat info;

    if (stat(real, &info) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open");
    ledger->frozen = gl_strdup(real);
    ledger->frozen_at = info.st_mtim;
    if (sqlite3_open_v2(uri, &ledger->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK)
        return gl_ledger_fail(ledger->db, "cannot open", err);
    return 0;
}

/* A log whose file may be written: a lone owner keeps its index in memory. */
static int open_alone(struct gl_ledger *ledger, const char *real, struct gl_error *err)
{
    if (sqlite3_open_v2(real, &ledger->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) !=
        SQLITE_OK)
        return gl_ledger_fail(ledger->db, "cannot open", err);
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_busy_timeout(ledger->db, BUSY_MS);
    return gl_ledger_run(ledger, "PRAGMA locking_mode = EXCLUSIVE", err);
}

/* A log that may only be read: possible as long as its index is beside it. */
static int open_with_index(struct gl_ledger *ledger, const char *real, struct gl_error *err)
{
    struct gl_error ignored = {0};
    int64_t version;

    if (sqlite3_open_v2(real, &ledger->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) ==
        SQLITE_OK) {
        sqlite3_busy_timeout(ledger->db, BUSY_MS);
        if (identify(ledger, &version, &ignored) == 0 || ignored.code != GL_E_IO)
            return 0;
    }
    return gl_fail(err, GL_E_IO,
                   "its last events stand in ledger.db-wal, which cannot be read where nothing may "
                   "be written: copy ledger.db and ledger.db-wal into a folder of your own, and "
                   "name that with --state");
}

/* Readers of a write-ahead log make an index file beside it, for which a full disk has no room and
 * which a folder of somebody else's refuses. */
static int open_to_look(struct gl_ledger *ledger, const char *real, struct gl_error *err)
{
    if (!has_log(real))
        return open_frozen(ledger, real, err);
    return access(real, W_OK) == 0 ? open_alone(ledger, real, err)
                                   : open_with_index(ledger, real, err);
}

bool gl_ledger_was_written(const struct gl_ledger *ledger)
{
    struct stat info;

    return ledger->frozen != NULL && (stat(ledger->frozen, &info) != 0 || has_log(ledger->frozen) ||
                                      info.st_mtim.tv_sec != ledger->frozen_at.tv_sec ||
                                      info.st_mtim.tv_nsec != ledger->frozen_at.tv_nsec);
}

struct gl_ledger *gl_ledger_open_to_look(const char *path, const struct gl_world *world,
                                         const struct gl_error *why, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *real = without_links(path, err);
    struct gl_ledger *ledger;
    int64_t version = 0;

    if (real == NULL)
        return NULL;
    ledger = gl_alloc(sizeof *ledger);
    ledger->world = world;
    ledger->unwritable = *why;
    if (open_to_look(ledger, real, err) == 0 && identify(ledger, &version, err) == 0 && version > 0)
        return ledger;
    gl_fail(err, GL_E_TAMPERED, "it holds nothing");
    gl_wrap(err, "%s", path);
    gl_ledger_close(ledger);
    return NULL;
}

int64_t gl_ledger_now_ms(const struct gl_ledger *ledger)
{
    return ledger->world->now_ms(ledger->world->cookie);
}

void gl_ledger_close(struct gl_ledger *ledger)
{
    if (ledger == NULL)
        return;
    sqlite3_close(ledger->db);
    free(ledger->frozen);
    free(ledger);
}

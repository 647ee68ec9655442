/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/guard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/finish.h"
#include "broker/guard_part.h"
#include "broker/relocate.h"
#include "broker/tenant.h"

#define FRESH_S      600  /* what is known of the grid is worked out anew after so long */
#define TELL_AGAIN_S 3600 /* the same notice stands in the ledger once an hour */
#define LOCK_WAIT_MS 2000 /* what a killed guard was starting holds its locks until it runs */

/* One launch on its way through the look. */
struct turn {
    struct gl_watch watch;
    struct gl_guard_past past;
    struct gl_guarded *counts;
    struct gl_guard_choice choice;
    bool can_pause; /* and was not tried in vain just now */
    bool has_failed;
    bool is_over_budget;      /* and that is why */
    enum gl_guard_act wanted; /* what it would do if everything could be done */
};

static struct gl_guard *guard_of(const struct turn *turn)
{
    return turn->watch.look->guard;
}

static int64_t now_of(const struct turn *turn)
{
    return turn->watch.look->now.unix_s;
}

/* ---- telling ---- */

static void tell(const struct turn *turn, struct gl_guard_report *told)
{
    const struct gl_guard *guard = guard_of(turn);
    const struct gl_watch *watch = &turn->watch;
    const struct gl_outlook *here = watch->here;

    told->row = watch->row;
    told->choice = turn->choice;
    told->here = here;
    told->next_s = watch->wish.wish != GL_TIMETABLE_NONE ? watch->wish.until_s : GL_UNKNOWN;
    told->promise = here != NULL && here->entry != NULL ? &here->entry->promise : NULL;
    told->rule = here != NULL && here->rule != NULL ? here->rule->id : "";
    told->to_region = told->to_zone = "";
    told->continued = watch->continued;
    told->unmoved = turn->choice.act != GL_GUARD_STAY ? watch->unmoved : "";
    if (turn->choice.place != SIZE_MAX) {
        told->to_region = watch->places[turn->choice.place].name;
        told->to_zone = watch->places[turn->choice.place].zone;
    }
    if (told->to_zone == NULL)
        told->to_zone = "";
    if (guard->report != NULL)
        guard->report(guard->cookie, told);
}

/* What stands in for something that failed before and waits. */
static void add_waiting(const struct turn *turn, struct gl_guard_report *told)
{
    told->retry_s = gl_guard_past_retry_s(&turn->past, turn->wanted, now_of(turn));
    told->tries = told->retry_s != GL_UNKNOWN ? turn->past.tried[turn->wanted].failures : 0;
}

static void count(struct turn *turn, enum gl_guard_act act)
{
    struct gl_guarded *counts = turn->counts;
    unsigned *const by_act[] = {
        [GL_GUARD_STAY] = &counts->stayed,  [GL_GUARD_MOVE] = &counts->moved,
        [GL_GUARD_PAUSE] = &counts->paused, [GL_GUARD_RESUME] = &counts->resumed,
        [GL_GUARD_STOP] = &counts->stopped, [GL_GUARD_NOTIFY] = &counts->notified,
    };

    (*by_act[act])++;
    if (turn->has_failed && act == GL_GUARD_NOTIFY)
        counts->undone++;
}

/* A failure that leaves the launch as it is. */
static void give_up(struct turn *turn, const struct gl_error *failed)
{
    turn->counts->failed++;
    turn->counts->undone++;
    tell(turn,
         &(struct gl_guard_report){.failed = failed, .retry_s = GL_UNKNOWN, .told_s = GL_UNKNOWN});
}

/* ---- choosing ---- */

/* What can be done to the instance; *out_is_over when there is nothing left to do. */
static int ask_caps(const struct turn *turn, uint32_t *out, bool *out_is_over, struct gl_error *err)
{
    const struct gl_launch_row *row = turn->watch.row;
    struct gl_cloud *cloud = gl_guard_cloud(turn->watch.look, row, err);
    struct gl_instance instance;
    int result;

    if (cloud == NULL)
        return -1;
    result = cloud->ops->describe(cloud, row->instance, &instance, err);
    if (result != 0 && err->code != GL_E_NOT_FOUND) {
        gl_launcher_note_silence(guard_of(turn)->launcher, row->cloud, err);
        return -1;
    }
    /* That the account does not show it is an end only where it is the account it stands in. */
    if (result != 0 && gl_tenant_check(guard_of(turn)->launcher, row, cloud, err) != 0)
        return -1;
    *out_is_over = result != 0 || gl_instance_is_over(&instance);
    *out = result == 0 ? instance.caps : 0;
    return 0;
}

static bool must_wait(const struct turn *turn, enum gl_guard_act act)
{
    return gl_guard_past_retry_s(&turn->past, act, now_of(turn)) != GL_UNKNOWN;
}

static enum gl_guard_act step_of(const struct gl_guard_choice *choice)
{
    return choice->act == GL_GUARD_RESUME && choice->place != SIZE_MAX ? GL_GUARD_MOVE
                                                                       : choice->act;
}

/* There is something to do: can it be done, and was it tried in vain just now? */
static int choose_act(struct turn *turn, struct gl_guard_facts *facts, struct gl_error *err)
{
    bool is_over;
    uint32_t caps;

    if (ask_caps(turn, &caps, &is_over, err) != 0)
        return -1;
    if (is_over) {
        turn->choice =
            (struct gl_guard_choice){.act = GL_GUARD_STAY, .why = GL_WHY_OVER, .place = SIZE_MAX};
        return 0;
    }
    facts->can_pause = (caps & GL_CLOUD_SUSPENDS) != 0;
    facts->can_move = facts->can_move && (turn->watch.is_by_image || (caps & GL_CLOUD_MOVES) != 0);
    gl_guard_moved_lately(&turn->watch, &turn->past, facts);
    gl_guard_decide(facts, &turn->choice);
    turn->wanted = step_of(&turn->choice);
    facts->can_pause = turn->can_pause = facts->can_pause && !must_wait(turn, GL_GUARD_PAUSE);
    facts->can_move = facts->can_move && !must_wait(turn, GL_GUARD_MOVE);
    gl_guard_decide(facts, &turn->choice);
    if ((turn->choice.act == GL_GUARD_STOP || turn->choice.act == GL_GUARD_RESUME) &&
        must_wait(turn, turn->choice.act))
        turn->choice.act =
            turn->choice.act == GL_GUARD_STOP && turn->can_pause ? GL_GUARD_PAUSE : GL_GUARD_NOTIFY;
    return 0;
}

/* When somebody should look again, for the sake of its plan. */
static void note_next(const struct turn *turn)
{
    const struct gl_timetable_choice *wish = &turn->watch.wish;
    int64_t *next_s = &turn->counts->next_s;

    if (wish->wish != GL_TIMETABLE_NONE && wish->until_s != GL_UNKNOWN &&
        (*next_s == GL_UNKNOWN || wish->until_s < *next_s))
        *next_s = wish->until_s;
}

/* Moved by image it is another launch: it came where it is when it was made. */
static bool is_continued(const struct gl_watch *watch)
{
    return json_is_object(json_object_get(watch->plan, "continues"));
}

/* A person who resumed it in this pause meant it. */
static int choose(struct turn *turn, struct gl_error *err)
{
    struct gl_guard_place places[GL_GUARD_PLACES_MAX];
    struct gl_guard_move moves[GL_GUARD_PLACES_MAX];
    struct gl_guard_facts facts;
    bool is_paused;

    gl_watch_facts(&turn->watch, places, moves, &facts);
    gl_guard_decide(&facts, &turn->choice);
    if (turn->choice.act != GL_GUARD_STAY || facts.is_paused) {
        gl_watch_elsewhere(&turn->watch);
        gl_watch_facts(&turn->watch, places, moves, &facts);
        gl_guard_decide(&facts, &turn->choice);
    }
    turn->wanted = step_of(&turn->choice);
    is_paused = facts.is_paused;
    note_next(turn);
    if (turn->choice.act == GL_GUARD_STAY && !is_paused)
        return 0;
    if (gl_guard_past_read(guard_of(turn)->launcher->ledger, turn->watch.row->launch, &turn->past,
                           err) != 0)
        return -1;
    if (turn->past.moved_s == GL_UNKNOWN && is_continued(&turn->watch))
        turn->past.moved_s = turn->watch.row->created_ms / 1000;
    if (is_paused && turn->past.is_paused_by_person) {
        turn->choice =
            (struct gl_guard_choice){.act = GL_GUARD_STAY, .why = GL_WHY_PERSON, .place = SIZE_MAX};
        return 0;
    }
    if (facts.plan == GL_TIMETABLE_PAUSE && !is_paused &&
        turn->past.person_resumed_s != GL_UNKNOWN &&
        turn->past.person_resumed_s >= turn->watch.wish.since_s) {
        facts.plan = GL_TIMETABLE_RUN;
        gl_guard_decide(&facts, &turn->choice);
    }
    return turn->choice.act == GL_GUARD_STAY ? 0 : choose_act(turn, &facts, err);
}

/* ---- doing ---- */

static void stay(struct turn *turn)
{
    struct gl_guard_report told = {.retry_s = GL_UNKNOWN, .told_s = GL_UNKNOWN};
    struct gl_error err = {0};

    if (!guard_of(turn)->is_dry && turn->choice.why != GL_WHY_OVER &&
        gl_guard_renew_promise(&turn->watch, &err) != 0)
        told.untold = &err;
    count(turn, GL_GUARD_STAY);
    tell(turn, &told);
}

static bool was_told(const struct turn *turn)
{
    const struct gl_guard_past *past = &turn->past;

    return past->told_s != GL_UNKNOWN && past->told_s <= now_of(turn) &&
           now_of(turn) - past->told_s < TELL_AGAIN_S &&
           strcmp(past->told_why, gl_guard_why_sentence(turn->choice.why)) == 0;
}

static void notify(struct turn *turn)
{
    struct gl_guard_report told = {.retry_s = GL_UNKNOWN, .told_s = GL_UNKNOWN};
    struct gl_error err = {0};

    turn->choice.place = SIZE_MAX;
    if (was_told(turn))
        told.told_s = turn->past.told_s;
    else if (!guard_of(turn)->is_dry &&
             (gl_guard_note(&turn->watch, GL_GUARD_NOTIFY, &turn->choice, NULL, &err) != 0 ||
              gl_guard_after(&turn->watch, &turn->choice, &err) != 0))
        told.untold = &err;
    if (!turn->has_failed)
        add_waiting(turn, &told);
    count(turn, GL_GUARD_NOTIFY);
    tell(turn, &told);
}

static void done(struct turn *turn)
{
    struct gl_guard_report told = {.retry_s = GL_UNKNOWN, .told_s = GL_UNKNOWN};
    struct gl_error err = {0};

    gl_guard_checkpoint(guard_of(turn), "guard-done");
    if (turn->watch.unsettled.code != GL_OK)
        told.untold = &turn->watch.unsettled;
    if (!guard_of(turn)->is_dry && gl_guard_after(&turn->watch, &turn->choice, &err) != 0)
        told.untold = &err;
    gl_guard_checkpoint(guard_of(turn), "guard-recorded");
    if (!turn->has_failed && turn->wanted != step_of(&turn->choice))
        add_waiting(turn, &told);
    count(turn, turn->choice.act);
    tell(turn, &told);
}

/* After a failure: is it still where and what it was, so that something milder makes sense? */
static bool is_as_before(const struct turn *turn)
{
    const struct gl_launch_row *row = turn->watch.row;
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};
    size_t index;

    return gl_launch_find(guard_of(turn)->launcher, row->launch, &rows, &index, &ignored) == 0 &&
           strcmp(rows.rows[index].state, row->state) == 0 &&
           strcmp(rows.rows[index].region, row->region) == 0;
}

/* Neither another process at work on it nor a disk that is full is a reason to do something else.
 */
static bool has_milder(const struct turn *turn, const struct gl_error *why)
{
    return turn->choice.act != GL_GUARD_RESUME && why->code != GL_E_LOCKED &&
           why->code != GL_E_DISK_FULL && is_as_before(turn);
}

static void be_milder(struct turn *turn)
{
    bool can_pause = turn->can_pause && turn->choice.act != GL_GUARD_PAUSE;

    turn->choice.act = can_pause ? GL_GUARD_PAUSE : GL_GUARD_NOTIFY;
    turn->choice.place = SIZE_MAX;
    turn->choice.gain_g = 0;
}

static void count_failure(struct turn *turn, bool is_milder, enum gl_errc why)
{
    bool is_over_budget = why == GL_E_BUDGET && (turn->is_over_budget || !turn->has_failed);

    turn->counts->failed += !turn->has_failed;
    turn->counts->undone += !is_milder;
    turn->counts->over_budget += (unsigned)is_over_budget - (unsigned)turn->is_over_budget;
    turn->has_failed = true;
    turn->is_over_budget = is_over_budget;
}

/* True: something milder is to be done now. */
static bool after_failure(struct turn *turn, enum gl_guard_act step, const struct gl_error *why)
{
    struct gl_guard_report told = {.failed = why, .told_s = GL_UNKNOWN};
    struct gl_error untold = {0};
    bool is_milder = has_milder(turn, why);

    if (why->code != GL_E_LOCKED) {
        turn->past.tried[step].failures++;
        turn->past.tried[step].last_s = now_of(turn);
        if (gl_guard_note(&turn->watch, step, &turn->choice, why, &untold) != 0)
            told.untold = &untold;
    }
    told.tries = turn->past.tried[step].failures;
    told.retry_s = gl_guard_past_retry_s(&turn->past, step, now_of(turn));
    count_failure(turn, is_milder, why->code);
    tell(turn, &told);
    if (is_milder)
        be_milder(turn);
    return is_milder;
}

/* It ended between the look and the act. */
static bool is_over_now(const struct turn *turn, const struct gl_error *why)
{
    struct gl_error ignored = {0};
    bool is_over = false;
    uint32_t caps;

    return why->code == GL_E_NOT_FOUND && ask_caps(turn, &caps, &is_over, &ignored) == 0 && is_over;
}

static void carry_out(struct turn *turn)
{
    bool is_dry = guard_of(turn)->is_dry;

    for (;;) {
        enum gl_guard_act step;
        struct gl_error why = {0};

        if (turn->choice.act == GL_GUARD_STAY || turn->choice.act == GL_GUARD_NOTIFY)
            break;
        gl_guard_checkpoint(guard_of(turn), "guard-decided");
        if (is_dry || gl_guard_act(&turn->watch, &turn->choice, &step, &why) == 0) {
            done(turn);
            return;
        }
        if (is_over_now(turn, &why)) {
            turn->choice = (struct gl_guard_choice){
                .act = GL_GUARD_STAY, .why = GL_WHY_OVER, .place = SIZE_MAX};
            break;
        }
        if (!after_failure(turn, step, &why))
            return;
    }
    if (turn->choice.act == GL_GUARD_STAY)
        stay(turn);
    else
        notify(turn);
}

/* ---- one launch, and all ---- */

/* A move by image takes half an hour and more: everything else is looked at first. */
static bool is_deferred(struct turn *turn)
{
    struct gl_guard_look *look = turn->watch.look;

    if (!look->is_deferring || !turn->watch.is_by_image || look->guard->is_dry ||
        step_of(&turn->choice) != GL_GUARD_MOVE)
        return false;
    look->deferred[look->deferred_count++] = turn->watch.row;
    turn->counts->watched--;
    return true;
}

static void guard_one(struct gl_guard_look *look, const struct gl_launch_row *row,
                      struct gl_guarded *counts)
{
    struct turn turn = {
        .counts = counts,
        .past = {.moved_s = GL_UNKNOWN, .told_s = GL_UNKNOWN, .person_resumed_s = GL_UNKNOWN},
        .choice = {.act = GL_GUARD_NOTIFY, .why = GL_WHY_UNKNOWN, .place = SIZE_MAX},
    };
    int64_t passed_s = gl_now(look->guard->launcher->world).unix_s - look->now.unix_s;
    struct gl_error err = {0};
    bool is_watched;

    if (passed_s < 0 || passed_s >= FRESH_S)
        gl_guard_look_renew(look);
    if (gl_watch_begin(look, row, &turn.watch, &is_watched, &err) != 0) {
        counts->watched++;
        give_up(&turn, &err);
    } else if (is_watched) {
        counts->watched++;
        if (choose(&turn, &err) != 0)
            give_up(&turn, &err);
        else if (!is_deferred(&turn))
            carry_out(&turn);
    }
    gl_watch_done(&turn.watch);
}

static bool is_interrupted(const struct gl_launcher *launcher)
{
    return launcher->is_interrupted != NULL && launcher->is_interrupted(launcher->cookie);
}

static bool is_asked_for(const struct gl_guard *guard, const struct gl_launch_row *row)
{
    return guard->only == NULL || strcmp(guard->only, row->launch) == 0;
}

static void guard_rows(struct gl_guard_look *look, const struct gl_launch_rows *rows,
                       const char *state, struct gl_guarded *counts)
{
    for (size_t i = 0; i < rows->count && !is_interrupted(look->guard->launcher); i++)
        if (strcmp(rows->rows[i].state, state) == 0 && is_asked_for(look->guard, &rows->rows[i]))
            guard_one(look, &rows->rows[i], counts);
}

static void guard_deferred(struct gl_guard_look *look, struct gl_guarded *counts)
{
    look->is_deferring = false;
    for (size_t i = 0; i < look->deferred_count && !is_interrupted(look->guard->launcher); i++)
        guard_one(look, look->deferred[i], counts);
}

/* Both lists are read before anything is done: what is paused now is looked at again next time. A
 * launch may be called "running". */
static int guard_all(struct gl_guard_look *look, struct gl_guarded *counts, struct gl_error *err)
{
    static const char *const states[] = {"running", "paused"};
    struct gl_launch_rows rows[sizeof states / sizeof states[0]] = {{0}};
    size_t all = 0;
    int result = 0;

    for (size_t s = 0; s < sizeof states / sizeof states[0] && result == 0; s++) {
        result = gl_ledger_launches(look->guard->launcher->ledger, states[s], &rows[s], err);
        all += rows[s].count;
    }
    look->deferred = gl_alloc((all + 1) * sizeof(const struct gl_launch_row *));
    look->is_deferring = true;
    for (size_t s = 0; s < sizeof states / sizeof states[0] && result == 0; s++)
        guard_rows(look, &rows[s], states[s], counts);
    if (result == 0)
        guard_deferred(look, counts);
    for (size_t s = 0; s < sizeof states / sizeof states[0]; s++)
        gl_launch_rows_free(&rows[s]);
    return result;
}

static int by_launch(const void *a, const void *b)
{
    return strcmp(((const struct gl_guarantee_row *)a)->launch,
                  ((const struct gl_guarantee_row *)b)->launch);
}

static int read_open(struct gl_guard_look *look, struct gl_error *err)
{
    if (gl_ledger_guarantees(look->guard->launcher->ledger, "open", &look->open, err) != 0)
        return -1;
    if (look->open.count > 0)
        qsort(look->open.rows, look->open.count, sizeof *look->open.rows, by_launch);
    return 0;
}

static int settle(struct gl_guard *guard, struct gl_guarded *out, struct gl_error *err)
{
    const struct gl_promise_settling settling = {.ledger = guard->launcher->ledger,
                                                 .world = guard->launcher->world,
                                                 .facts = guard->facts,
                                                 .cookie = guard->cookie,
                                                 .news = guard->news};

    if (guard->is_dry)
        return 0;
    if (gl_launch_reconcile(guard->launcher, &out->reconciled, err) != 0)
        return -1;
    gl_relocate_sweep(guard->launcher, &out->swept);
    gl_guard_checkpoint(guard, "guard-reconciled");
    if (guard->only != NULL)
        return 0;
    if (gl_promise_settle(&settling, &out->settled, err) != 0)
        return -1;
    gl_guard_checkpoint(guard, "guard-settled");
    return 0;
}

/* A settlement that cannot be written keeps nothing from being moved out of the way. */
static int look_at_all(struct gl_guard *guard, struct gl_guarded *out, struct gl_error *err)
{
    struct gl_guard_look look = {.guard = guard};
    struct gl_error second = {0};
    int settled = settle(guard, out, err), result;

    gl_guard_look_renew(&look);
    result = read_open(&look, settled == 0 ? err : &second);
    if (result == 0)
        result = guard_all(&look, out, settled == 0 ? err : &second);
    gl_guard_look_done(&look);
    return settled != 0 ? -1 : result;
}

static char *lock_path(const char *state_folder)
{
    return gl_path_join(state_folder, "guard.lock");
}

/* How long ago a guard last looked: the lock's file says it. */
static int64_t unseen_for(const struct gl_guard *guard)
{
    GL_AUTO(gl_auto_free) char *path = lock_path(guard->launcher->state_folder);
    int64_t now_s = gl_now(guard->launcher->world).unix_s;
    struct stat about;

    return stat(path, &about) == 0 && about.st_mtim.tv_sec <= now_s ? now_s - about.st_mtim.tv_sec
                                                                    : GL_UNKNOWN;
}

/* Where it cannot be written, the next look takes the gap for longer than it was. */
static void note_look(const struct gl_guard *guard)
{
    GL_AUTO(gl_auto_free) char *path = lock_path(guard->launcher->state_folder);
    const struct timespec now = {.tv_sec = gl_now(guard->launcher->world).unix_s};

    (void)utimensat(AT_FDCWD, path, (const struct timespec[2]){now, now}, AT_SYMLINK_NOFOLLOW);
}

int gl_guard_lock(const char *state_folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = lock_path(state_folder);
    struct gl_error why = {0};
    int lock = gl_file_lock(path, LOCK_WAIT_MS, &why);

    if (lock >= 0)
        return lock;
    if (why.code == GL_E_LOCKED)
        return gl_fail(err, GL_E_LOCKED, "another guard is at work: it holds %s", path);
    return gl_fail(err, why.code, "%s", why.text);
}

/* Work whose budget is spent, whatever the grid is like. */
static int keep_caps(struct gl_guard *guard, struct gl_guarded *out, struct gl_error *err)
{
    struct gl_capped *capped = &out->capped;

    if (gl_budget_enforce(guard->launcher, capped, err) != 0)
        return -1;
    out->paused += capped->paused;
    out->resumed += capped->resumed;
    out->stopped += capped->stopped;
    out->failed += capped->failed;
    out->undone += capped->failed;
    return 0;
}

int gl_guard_once(struct gl_guard *guard, struct gl_guarded *out, struct gl_error *err)
{
    bool must_lock = !guard->is_locked && !guard->is_dry;
    int64_t unseen_s = unseen_for(guard);
    int lock = must_lock ? gl_guard_lock(guard->launcher->state_folder, err) : -1;
    int result;

    *out = (struct gl_guarded){.next_s = GL_UNKNOWN, .unseen_s = unseen_s};
    if (must_lock && lock < 0)
        return -1;
    result = look_at_all(guard, out, err);
    if (result == 0 && !guard->is_dry)
        result = keep_caps(guard, out, err);
    if (result == 0 && !guard->is_dry && guard->only == NULL)
        note_look(guard);
    if (lock >= 0)
        close(lock);
    return result;
}

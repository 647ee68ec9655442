/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_READER_PART_H
#define GL_BROKER_HOOK_READER_PART_H

/* What plan readers share: members of a document by table, what is kept of it while it streams by
 * (reader_keep.h), evidence of a place that no format has for itself, and what makes an intent a
 * launch. Internal to the readers. */

#include "broker/hook/reader_keep.h"

/* ---- reader_walk.c: the shape of documents ---- */

/* Reads the value of a member or an item, all of it; `key` is borrowed until it reads on, and empty
 * for items. */
typedef int gl_reader_each(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                           struct gl_error *err);
/* Every member of the next value; one that is no object is skipped. */
int gl_reader_each_member(struct gl_jsonpull *pull, gl_reader_each *each, void *cookie,
                          struct gl_error *err);
/* Every item of the next value; one that is no list is skipped. */
int gl_reader_each_item(struct gl_jsonpull *pull, gl_reader_each *each, void *cookie,
                        struct gl_error *err);
bool gl_reader_is_key(struct gl_view key, const char *name);
/* Step in when the next value is of that kind, else over it. */
int gl_reader_enter(struct gl_jsonpull *pull, enum gl_jkind kind, bool *out_is_in,
                    struct gl_error *err);
/* A string into the arena; another value leaves *out as it is. */
int gl_reader_text(struct gl_arena *arena, struct gl_jsonpull *pull, const char **out,
                   struct gl_error *err);
/* true or false; another value leaves *out as it is. */
int gl_reader_flag(struct gl_jsonpull *pull, bool *out, struct gl_error *err);

/* All bytes of the feed; TOO_LARGE past `max_bytes`. */
int gl_reader_slurp(struct gl_feed *feed, size_t max_bytes, struct gl_str *out,
                    struct gl_error *err);

/* ---- reader_hide.c, reader_settle.c ---- */

/* Of `node` of the tree all that is true in `mark`, which has its shape, becomes GL_JHIDDEN; either
 * may be NULL. Where their shapes differ, the whole. True when something did. */
bool gl_reader_hide(struct gl_jtree *tree, const struct gl_jnode *node,
                    const struct gl_jtree *marks, const struct gl_jnode *mark);
/* A list that ends with NULL, and its texts, as pieces; NULL stays NULL. */
const char *const *gl_reader_hold_list(struct gl_arena *arena, struct gl_reader_pieces *pieces,
                                       struct gl_arena *passing, const char *const *list);
/* What is said of an intent moves from passing memory into the arena, as pieces; address, file and
 * type stay where they are. `passing` is used on the way. */
void gl_reader_settle(struct gl_arena *arena, struct gl_reader_pieces *pieces,
                      struct gl_arena *passing, struct gl_intent *intent);

/* ---- reader_pair.c: attributes that are written anew ---- */

/* Two JSON texts of one shape, side by side: the values, and true where a value is known later
 * only, GL_JHIDDEN where it is a secret. Zero-initialised. */
struct gl_reader_pair {
    struct gl_str values, unknown;
};
void gl_reader_pair_add(struct gl_reader_pair *pair, const char *value, const char *unknown);
void gl_reader_pair_key(struct gl_reader_pair *pair, const char *key);
void gl_reader_pair_text(struct gl_reader_pair *pair, const char *text, size_t length);
/* A scalar as it stands. */
void gl_reader_pair_scalar(struct gl_reader_pair *pair, const struct gl_jtree *tree,
                           const struct gl_jnode *node);
/* A value that is marked as a secret. */
void gl_reader_pair_hide(struct gl_reader_pair *pair);
/* The texts as trees in the arena, and the texts freed. Empty trees when they are too large. */
void gl_reader_pair_take(struct gl_reader_pair *pair, struct gl_arena *arena,
                         struct gl_jtree *out_values, struct gl_jtree *out_unknown);
/* A JSON text of our own as a tree in the arena. */
struct gl_jtree gl_reader_tree(struct gl_arena *arena, const struct gl_str *text);

/* ---- reader_intent.c: places and launches ---- */

const char *gl_reader_say(struct gl_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The texts one behind the other, NULL-terminated, at most GL_READER_PARTS: what is said once a
 * resource is not worth a format each. */
#define GL_READER_PARTS 6
char *gl_reader_join(struct gl_arena *arena, const char *const *parts);
#define GL_READER_JOIN(arena, ...) gl_reader_join(arena, (const char *const[]){__VA_ARGS__, NULL})
/* One more text at the end of a NULL-terminated list in the arena. */
void gl_reader_add_text(struct gl_arena *arena, const char *const **list, const char *text);
/* A type that is in no mapping and looks like a machine; named once a plan. */
void gl_reader_add_unmapped(struct gl_hook_plan *plan, const char *type);

void gl_reader_set_place(struct gl_arena *arena, struct gl_intent_place *place, const char *region,
                         const char *evidence, enum gl_surety surety, const char *how);
/* A provider is told a zone and a region: which of them counts is for the resource to say. `*place`
 * is what was found first, region NULL = nothing yet. */
void gl_reader_join_place(struct gl_arena *arena, struct gl_intent_place *place,
                          const struct gl_intent_place *more);
/* Is its region that of a zone, which must lie in the region its provider is told? */
bool gl_reader_rests_on_zone(const struct gl_mapping_provider *provider,
                             const struct gl_intent_place *place);
/* That region is `told`: if it is another one, the place is disputed. */
void gl_reader_compare_place(struct gl_arena *arena, struct gl_intent_place *place,
                             const struct gl_intent_place *told);
/* What would say its region is marked sensitive: "variable region". */
void gl_reader_hide_place(struct gl_arena *arena, const char *name, struct gl_intent *intent);
/* Regions beside its own, once that is known, are candidates; where some cannot be told, it has
 * none but what the user asserts. `said` is what its attributes say. */
void gl_reader_add_also(struct gl_arena *arena, const struct gl_intent_place *said,
                        struct gl_intent_place *place);
/* What the user asserts of this address (--region): nothing else counts. */
bool gl_reader_place_by_user(const struct gl_hook_options *options, struct gl_arena *arena,
                             const char *address, struct gl_intent_place *out);
/* The environment of this process, when the user asks for it. */
bool gl_reader_place_by_environment(const struct gl_hook_options *options,
                                    const struct gl_mapping_provider *provider,
                                    struct gl_arena *arena, struct gl_intent_place *out);

/* Room for so many intents more, so that adding them moves none. */
void gl_reader_expect(struct gl_hook_plan *plan, size_t more);
/* A new intent at the end of the plan, read by `row` from `attributes`. Its place is what they say;
 * the rest is the reader's. Borrowed until the next one. */
struct gl_intent *gl_reader_add_intent(const struct gl_hook_options *options,
                                       struct gl_hook_plan *plan, const struct gl_mapping_row *row,
                                       const struct gl_attributes *attributes,
                                       const struct gl_follower *follower);
/* One more that says what the intent of that number says. */
struct gl_intent *gl_reader_add_like(struct gl_hook_plan *plan, size_t number);
/* Of unknown machine, count and place; and such a one without a row, at the end of the plan. */
struct gl_intent gl_reader_blank(void);
struct gl_intent *gl_reader_add_blank(struct gl_hook_plan *plan);
/* What it was before, and what an update comes to. `past` is copied; a past without a region stood
 * where the new one stands. */
void gl_reader_set_past(struct gl_arena *arena, struct gl_intent *intent,
                        const struct gl_intent *past);
/* Would it start machines that do not run now: by role, change and count? */
bool gl_reader_is_launch(const struct gl_intent *intent);
/* The group may become what its scaler says; more than before is a launch. Bounds only widen: a
 * schedule that goes down at night does not undo the day, and of several scalers each has its time.
 * One that is deleted says nothing. `is_open`: its most is not known yet, so that of the group is
 * not. `how`: gl_reader_scaled_by(), said once for all that it scales. */
void gl_reader_scale(const struct gl_intent *scaler, const char *how, bool is_open,
                     struct gl_intent *target);
const char *gl_reader_scaled_by(struct gl_arena *arena, const struct gl_intent *scaler);
/* What a path says as one name, "Deployment|default|web"; NULL when part of it is not told. */
const char *gl_reader_named(const struct gl_path *path, const struct gl_attributes *from,
                            struct gl_arena *arena);
/* Is the most that a scaler allows only told later? (A number below 0 is told: it means none.) */
bool gl_reader_is_open(const struct gl_mapping_row *row, const struct gl_attributes *from,
                       const struct gl_follower *follower, struct gl_arena *scratch);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Signals out of JSON, as a tree of one of two kinds: that of a million events is made without
 * memory of its own for every value. Each member is asked for in one table. */
#include "base/jsonpull.h"
#include "broker/demand.h"

#include <stdio.h>
#include <string.h>

/* A member's value, whichever tree it stands in. */
struct value {
    enum { VALUE_OTHER, VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT } kind;
    const char *text;
    int64_t number;
};

/* A signal that is being read. */
struct taking {
    struct gl_demand demand;
    int kind, capability, instead, grade;
};

enum form { FORM_WORD, FORM_TEXT, FORM_NUMBER, FORM_KEY, FORM_BOOL };
static const char *const grades[] = {"A", "B", "C", "D", "E", NULL};

#define OF(member)   offsetof(struct taking, member)
#define SIZE(member) sizeof((struct gl_demand *)0)->member
#define TEXT(member)                                              \
    {                                                             \
#member, FORM_TEXT, OF(demand.member), SIZE(member), NULL \
    }
#define NUMBER(member)                                   \
    {                                                    \
#member, FORM_NUMBER, OF(demand.member), 0, NULL \
    }
#define WORD(member, words)                      \
    {                                            \
#member, FORM_WORD, OF(member), 0, words \
    }
static const struct member {
    const char *name;
    enum form form;
    size_t at, size;
    const char *const *words;
} members[] = {
    /* In the order of canonical JSON: the next one is mostly the next. */
    NUMBER(at_ms),
    WORD(capability, gl_capability_words),
    NUMBER(extra_ug),
    TEXT(family),
    NUMBER(found_u),
    NUMBER(gpu_ms),
    WORD(grade, grades),
    WORD(instead, gl_instead_words),
    TEXT(instead_region),
    {"is_demo", FORM_BOOL, OF(demand.is_demo), 0, NULL},
    {"key", FORM_KEY, OF(demand.key), 0, NULL},
    WORD(kind, gl_demand_kind_words),
    TEXT(launch_key),
    NUMBER(limit_u),
    NUMBER(lost_ms),
    TEXT(provider),
    TEXT(region),
    TEXT(rule),
    NUMBER(wanted_ms),
};
#define MEMBERS (sizeof members / sizeof members[0])
#define ALL     ((UINT32_C(1) << MEMBERS) - 1)

static int bad(const char *name, struct gl_error *err)
{
    return gl_fail(err, GL_E_BAD_REPLY, "demand signal: \"%s\" is not what it should be", name);
}

/* ---- one member ---- */

static bool take_word(const struct value *value, const char *const *words, int *out)
{
    for (int i = 0; value->kind == VALUE_TEXT && words[i] != NULL; i++)
        if (strcmp(words[i], value->text) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool take_text(const struct value *value, char *out, size_t size)
{
    size_t length = value->kind == VALUE_TEXT ? strlen(value->text) : size;

    if (length >= size)
        return false;
    memcpy(out, value->text, length + 1);
    return true;
}

static bool take_number(const struct value *value, int64_t *out)
{
    *out = value->kind == VALUE_NULL ? GL_UNKNOWN : value->number;
    return value->kind == VALUE_NULL ||
           (value->kind == VALUE_NUMBER && value->number != GL_UNKNOWN);
}

static bool take_key(const struct value *value, int *out)
{
    const struct gl_key *key = value->kind == VALUE_TEXT ? gl_key_named(value->text) : NULL;

    *out = key != NULL ? (int)key->id : GL_KEYS;
    return key != NULL || value->kind == VALUE_NULL;
}

static bool take_member(const struct member *member, const struct value *value, struct taking *out)
{
    void *to = (char *)out + member->at;

    switch (member->form) {
    case FORM_WORD:
        return take_word(value, member->words, to);
    case FORM_TEXT:
        return take_text(value, to, member->size);
    case FORM_NUMBER:
        return take_number(value, to);
    case FORM_KEY:
        return take_key(value, to);
    case FORM_BOOL:
        *(bool *)to = value->number != 0;
        return value->kind == VALUE_BOOL;
    }
    return false;
}

/* ---- all members ---- */

/* MEMBERS when it is none of a signal's: others are left to later versions. */
static size_t member_named(const char *name, size_t next)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (strcmp(members[(next + i) % MEMBERS].name, name) == 0)
            return (next + i) % MEMBERS;
    return MEMBERS;
}

/* How far a signal has been read. */
struct progress {
    struct taking taking;
    uint32_t seen;
    size_t next;
};

static int take(struct progress *progress, const char *name, const struct value *value,
                struct gl_error *err)
{
    size_t at = member_named(name, progress->next);

    if (at == MEMBERS)
        return 0;
    if (!take_member(&members[at], value, &progress->taking))
        return bad(members[at].name, err);
    progress->seen |= UINT32_C(1) << at;
    progress->next = at + 1;
    return 0;
}

static int finish(const struct progress *progress, struct gl_demand *out, struct gl_error *err)
{
    const struct taking *taking = &progress->taking;

    for (size_t i = 0; progress->seen != ALL && i < MEMBERS; i++)
        if ((progress->seen & UINT32_C(1) << i) == 0)
            return bad(members[i].name, err);
    *out = taking->demand;
    out->kind = (enum gl_demand_kind)taking->kind;
    out->capability = (enum gl_capability)taking->capability;
    out->instead = (enum gl_instead)taking->instead;
    out->grade = (enum gl_grade)taking->grade;
    return 0;
}

/* ---- the two trees ---- */

static struct value value_of_json(const json_t *json)
{
    if (json_is_string(json))
        return (struct value){VALUE_TEXT, json_string_value(json), 0};
    if (json_is_integer(json))
        return (struct value){VALUE_NUMBER, NULL, json_integer_value(json)};
    if (json_is_boolean(json))
        return (struct value){VALUE_BOOL, NULL, json_is_true(json)};
    return (struct value){json_is_null(json) ? VALUE_NULL : VALUE_OTHER, NULL, 0};
}

int gl_demand_of_json(const json_t *json, struct gl_demand *out, struct gl_error *err)
{
    struct progress progress = {.seen = 0};
    struct gl_error why = {0};
    struct gl_demand demand;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        const struct value one = value_of_json(value);

        if (take(&progress, name, &one, err) != 0)
            return -1;
    }
    if (finish(&progress, &demand, err) != 0)
        return -1;
    if (gl_demand_check(&demand, &why) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "%s", why.text);
    *out = demand;
    return 0;
}

static struct value value_of_node(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    struct value value = {.kind = VALUE_OTHER};

    if (gl_jnode_is(node, GL_JSTRING) && (value.text = gl_jnode_text(tree, node)) != NULL)
        value.kind = VALUE_TEXT;
    else if (gl_jnode_is(node, GL_JNUMBER) && gl_jnode_int(tree, node, &value.number))
        value.kind = VALUE_NUMBER;
    else if (gl_jnode_is(node, GL_JTRUE) || gl_jnode_is(node, GL_JFALSE))
        value = (struct value){VALUE_BOOL, NULL, gl_jnode_is(node, GL_JTRUE)};
    else if (gl_jnode_is(node, GL_JNULL))
        value.kind = VALUE_NULL;
    return value;
}

/* What it says may not stand there yet: whoever takes it checks that. */
static int of_node(const struct gl_jtree *tree, const struct gl_jnode *node, struct gl_demand *out,
                   struct gl_error *err)
{
    struct progress progress = {.seen = 0};

    for (const struct gl_jnode *one = gl_jnode_first(tree, node); one != NULL;
         one = gl_jnode_next(tree, node, one)) {
        const struct value value = value_of_node(tree, one);

        if (take(&progress, gl_jnode_key(tree, one), &value, err) != 0)
            return -1;
    }
    return finish(&progress, out, err);
}

/* ---- events ---- */

bool gl_demand_of_event(struct gl_jtree *tree, const char *body, size_t length,
                        struct gl_demand out[GL_DEMAND_PLACES], size_t *out_count)
{
    struct gl_error ignored = {0};
    const struct gl_jnode *list;
    size_t count = 0;

    if (gl_jtree_parse(tree, body, length, "demand signal", &ignored) != 0)
        return false;
    list = gl_jnode_get(tree, gl_jtree_root(tree), "signals");
    *out_count = 0;
    if (!gl_jnode_is(list, GL_JARRAY))
        return true;
    for (const struct gl_jnode *one = gl_jnode_first(tree, list); one != NULL;
         one = gl_jnode_next(tree, list, one)) {
        if (count == GL_DEMAND_PLACES || of_node(tree, one, &out[count], &ignored) != 0 ||
            gl_demand_check(&out[count], &ignored) != 0)
            return false;
        count++;
    }
    *out_count = count;
    return true;
}

/* ---- clusters ---- */

struct gathering {
    struct gl_clustering *clustering;
    const struct gl_demand_ask *ask;
};

static int tampered(const struct gl_error *why, struct gl_error *err)
{
    return gl_fail(err, why->code == GL_E_BAD_VALUE ? GL_E_TAMPERED : why->code,
                   why->code == GL_E_BAD_VALUE ? "ledger: %s" : "%s", why->text);
}

/* What is not asked for is left out, but not unread. */
static int add_signal(void *cookie, const struct gl_demand *demand, struct gl_error *err)
{
    const struct gathering *gathering = cookie;
    struct gl_error why = {0};
    int result = demand->is_demo != gathering->ask->wants_demo
                     ? gl_demand_check(demand, &why)
                     : gl_clustering_add(gathering->clustering, demand, &why);

    return result == 0 ? 0 : tampered(&why, err);
}

/* NULL with *out_is_sound false: what was read is not what was written. */
static struct gl_clustering *gather(struct gl_ledger *ledger, const struct gl_demand_ask *ask,
                                    bool *out_is_sound, struct gl_error *err)
{
    struct gathering gathering = {gl_clustering_new(), ask};

    *out_is_sound = true;
    if (gl_ledger_signals(ledger, ask->since_ms, &gathering, add_signal, out_is_sound, err) == 0 &&
        *out_is_sound)
        return gathering.clustering;
    gl_clustering_free(gathering.clustering);
    return NULL;
}

struct gl_clustering *gl_demand_clusters(struct gl_ledger *ledger, const struct gl_demand_ask *ask,
                                         struct gl_error *err)
{
    struct gl_error ignored = {0};
    struct gl_clustering *clustering;
    bool is_sound;

    /* What cannot be written down now is not lost: it is unknown for this time. */
    gl_demand_settle(ledger, &ignored);
    clustering = gather(ledger, ask, &is_sound, err);
    if (clustering != NULL || is_sound)
        return clustering;
    if (gl_ledger_signals_renew(ledger, err) != 0)
        return NULL;
    clustering = gather(ledger, ask, &is_sound, err);
    if (clustering == NULL && !is_sound)
        gl_fail(err, GL_E_TAMPERED, "ledger: its demand signals are changed while they are read");
    return clustering;
}

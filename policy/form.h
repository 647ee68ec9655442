/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_FORM_H
#define GL_POLICY_FORM_H

/* What each map of a policy file may hold, as tables: a row feeds the reader, the nearest-key hint
 * and the JSON Schema. Internal to the policy reader. */

#include "policy/value.h"

struct gl_field;

/* How a value is read into its slot, and its JSON Schema. */
struct gl_type {
    int (*read)(const struct gl_reader *reader, const struct gl_field *field,
                const struct gl_node *node, void *slot);
    const char *schema; /* NULL: follows from the field's words or form */
    bool is_list;       /* the form describes the items */
};

struct gl_form {
    const char *what;                        /* "a rule", for messages */
    const struct gl_field *fields;           /* ends with a NULL name */
    bool (*takes)(const struct gl_key *key); /* which keys of the key table; NULL: none */
    size_t limits;                           /* where they go: offset of limits[GL_KEYS] */
};

struct gl_field {
    const char *name;
    const struct gl_type *type;
    size_t offset;    /* of the slot in what the form fills */
    const char *help; /* one sentence */
    bool is_needed;
    const char *const *words;   /* gl_type_word */
    const struct gl_form *form; /* gl_type_form, lists of forms */
    const char *alias;          /* another accepted name; NULL */
};

extern const struct gl_type gl_type_text;      /* const char * */
extern const struct gl_type gl_type_id;        /* const char *: letters, digits, . _ - */
extern const struct gl_type gl_type_globs;     /* const char *const * */
extern const struct gl_type gl_type_addresses; /* the same, for gl_address_match() */
extern const struct gl_type gl_type_word;      /* int: index of the word */
extern const struct gl_type gl_type_bool;      /* bool */
extern const struct gl_type gl_type_time;      /* int64_t: Unix seconds of a date or RFC 3339 */
extern const struct gl_type gl_type_span;      /* int64_t: seconds */
extern const struct gl_type gl_type_version;   /* nothing: the value must be 1 */
extern const struct gl_type gl_type_form;      /* what the nested form fills, at the slot */
/* What gl_type_id takes. */
bool gl_is_id(const char *text);

/* Fill `out` from a map; what is absent stays as it is. Notes an error for every unknown key, bad
 * value and missing needed key. */
int gl_form_read(const struct gl_reader *reader, const struct gl_form *form,
                 const struct gl_node *node, void *out);

/* Is `key` a limit, and not one that says how others are judged? */
bool gl_key_is_limit(const struct gl_key *key);

#endif

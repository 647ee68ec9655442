/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_DEMAND_TABLE_H
#define GL_POLICY_DEMAND_TABLE_H

/* What the files of policy/demand*.c share: the providers, and what their names look like. */

#include "policy/demand.h"

/* Shapes: 'a' is a run of lower-case letters, 'A' one of upper-case, '9' one to three digits, 'x'
 * a run of letters and digits that begins with a letter; every other character stands for itself.
 * Several are separated by blanks. */
struct gl_demand_provider {
    const char *name;
    const char *area;
    const char *regions;  /* shapes; "" = its regions are the user's own */
    const char *families; /* the same */
    /* Writes the family of a type that looks like one of its own; false else. */
    bool (*family)(const char *type, char out[GL_DEMAND_NAME]);
};

/* NULL when there is none of that name. */
const struct gl_demand_provider *gl_demand_provider(const char *name);

/* Is `text` of one of the shapes? */
bool gl_demand_has_shape(const char *shapes, const char *text);

/* gl_demand_check() in parts: that every text ends within its member; and all but provider, region
 * and rule, of a signal whose like in these was checked. */
int gl_demand_check_ends(const struct gl_demand *demand, struct gl_error *err);
int gl_demand_check_rest(const struct gl_demand *demand, struct gl_error *err);

/* May this stand as a rule in normal form? "" may: no rule was asked. */
bool gl_demand_is_rule(const char *text);

#endif

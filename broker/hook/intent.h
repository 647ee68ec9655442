/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_INTENT_H
#define GL_BROKER_HOOK_INTENT_H

/* What a plan wants to run, whatever wrote the plan: the launch-intent normal form. It is the
 * public contract of `hook facts --json` (docs/hook.md), of the judge and of every report; version
 * GL_INTENT_VERSION changes when a member changes meaning. Holds addresses, names of places, types
 * and counts only: values of a plan may be secret, and no other one gets in here. */

#include "base/json.h"
#include "broker/hook/keyset.h"
#include "policy/arena.h"
#include "policy/facts.h"

#define GL_INTENT_VERSION 1

/* What a resource is to electricity. */
enum gl_role {
    GL_ROLE_MACHINE,  /* one machine */
    GL_ROLE_GROUP,    /* a number of machines */
    GL_ROLE_TEMPLATE, /* describes machines for others; never counted */
    GL_ROLE_SCALER,   /* changes the number of its target; never counted itself */
    GL_ROLE_MANAGED,  /* a managed service on machines whose type is visible */
    GL_ROLE_FRACTION, /* a function or container: part of a machine */
    GL_ROLE_RESERVED, /* a reservation or dedicated host */
    GL_ROLE_OPAQUE,   /* machines that cannot be seen from here */
};
/* What the plan does with it. */
enum gl_change {
    GL_CHANGE_NONE,
    GL_CHANGE_READ,
    GL_CHANGE_CREATE,
    GL_CHANGE_REPLACE,
    GL_CHANGE_GROW,   /* larger type, or more of them */
    GL_CHANGE_MOVE,   /* another region */
    GL_CHANGE_UPDATE, /* in place, neither more nor elsewhere */
    GL_CHANGE_SHRINK,
    GL_CHANGE_DELETE,
    GL_CHANGE_FORGET, /* dropped from the state, keeps running */
    GL_CHANGE_UNKNOWN,
};
/* How sure a fact is; larger is surer. */
enum gl_surety {
    GL_SURE_NOT,     /* unknown */
    GL_SURE_HINT,    /* from the environment of this process */
    GL_SURE_ASSUMED, /* a documented default */
    GL_SURE_MEDIUM,
    GL_SURE_HIGH,
    GL_SURE_CERTAIN,  /* the resource says it */
    GL_SURE_ASSERTED, /* the user says it: --region */
};
const char *gl_role_word(enum gl_role role);       /* "launch" "group" "template" "scaler" "managed"
                                                    * "fraction" "reserved" "opaque" */
const char *gl_change_word(enum gl_change change); /* "none" "read" "create" ... "unknown" */
const char *gl_surety_word(enum gl_surety surety); /* "unknown" "hint" "assumed" ... */
extern const char *const gl_role_words[], *const gl_change_words[], *const gl_surety_words[];

/* Texts and lists are in the arena of the plan, lists end with NULL, and may be NULL = empty. */
struct gl_intent_place {
    const char *region; /* "eu-west-1"; NULL = unknown */
    const char *zone;   /* "eu-west-1a", the first of zones; NULL */
    const char *const *zones;
    const char *const *candidates; /* other regions it may be, or is in besides */
    const char *how;               /* "provider aws.backup, variable region"; never NULL */
    const char *evidence;          /* word of the row of region evidence: "attribute" ... "none" */
    enum gl_surety surety;
    bool is_hidden;       /* marked sensitive where it is said: nothing else says it then */
    bool is_beside;       /* the candidates are beside the region that is to be found */
    bool has_more;        /* of these some are not known yet */
    const char *conflict; /* what contradicts it; NULL. With no region: it may be any candidate */
};

struct gl_intent_machine {
    const char *type;              /* as written: "db.t3.micro"; NULL = unknown or none */
    const char *catalogue;         /* as offers call it: "t3.micro"; NULL = no such thing */
    const char *const *candidates; /* all alternatives as written, `type` first; NULL = only type */
    int64_t vcpus_u, memory_mib;   /* of one, where the plan says so; GL_UNKNOWN */
    int64_t size_u;                /* of one, in units that only compare; GL_UNKNOWN */
    const char *accelerator;       /* NULL = none said */
    int64_t accelerator_count;     /* GL_UNKNOWN = none said */
    const char
        *how; /* "launch template web", "default of EKS", why not known; NULL = the resource */
    enum gl_surety surety;
};

/* More machines than anybody has: a number above it is not believed, and counts as not known. */
#define GL_HOOK_COUNT_MAX INT64_C(10000000)

struct gl_intent_count {
    int64_t min, desired, max; /* GL_UNKNOWN */
    const char *unit;          /* "machine" or "vcpu" */
    const char *how;           /* "per zone, 3 assumed"; NULL */
    enum gl_surety surety;
    bool is_brief; /* only while something else is created: no launch */
};

/* Of which nothing is known. */
extern const struct gl_intent_machine gl_intent_no_machine;
extern const struct gl_intent_count gl_intent_no_count;

struct gl_intent {
    size_t like; /* number, from 1, of an earlier one with the same cloud, places and machines */
    const char *address;  /* of the resource, unique in its plan; without secrets by construction */
    const char *file;     /* where the plan came from */
    const char *cloud;    /* "aws", as in the data tables; NULL = unknown */
    const char *provider; /* "registry.terraform.io/hashicorp/aws" */
    const char *type;     /* "aws_instance" */
    enum gl_role role;
    enum gl_change change;
    bool is_launch; /* would start machines that do not run now */
    bool is_mapped; /* false: not in the mapping, but it looks like a machine */
    bool keeps_old; /* replaced, and the one from before keeps running */
    bool is_untold; /* what its machine or number follows from changes, and does not tell them */
    bool is_latest; /* starts what it refers to as that then is, though it is not changed itself */
    struct gl_intent_place place;
    struct gl_intent_machine machine;
    struct gl_intent_count count;
    /* Before the change: NULL for what is created. */
    struct gl_intent_place *place_before;
    struct gl_intent_machine *machine_before;
    struct gl_intent_count *count_before;
    int interruptible;            /* 1 spot or preemptible, 0 not, -1 not said */
    int64_t duration_s;           /* where the resource limits it; GL_UNKNOWN */
    const char *const *tags;      /* "key=value" of tags or labels that are not marked sensitive */
    const char *const *notes;     /* sentences: "count is per zone" */
    const char *const *unknown;   /* attributes that are known only after apply: "instance_type" */
    const char *const *sensitive; /* what is not read because it is marked sensitive, by its name */
};

/* One more region that it may be in, where it is not among them yet. */
void gl_intent_add_candidate(struct gl_intent_place *place, const char *region,
                             struct gl_arena *arena);
/* What says its region is contradicted: it may be in either, and is known to be in none. `conflict`
 * is a sentence; the texts are borrowed. */
void gl_intent_dispute(struct gl_intent_place *place, const char *region, const char *conflict,
                       struct gl_arena *arena);

/* What would say its region, `name`, is marked sensitive. */
void gl_intent_hide_place(struct gl_intent_place *place, const char *name, struct gl_arena *arena);

/* One plan as read. Its memory ends with gl_hook_plan_done(). */
struct gl_hook_plan {
    struct gl_arena arena;
    const char *file;    /* as named by the user; "-" for standard input */
    const char *reader;  /* "terraform" */
    const char *version; /* what wrote it: "Terraform 1.14.2, format 1.2"; "" not said */
    /* SHA-256 of the bytes as they came, zeros when nobody will read it; of a CDK assembly, of the
     * digests of its manifest and of the files it names, in order. */
    struct gl_hash digest;
    struct gl_intent *intents;
    size_t count, room;          /* room: how many there is memory for; the readers' */
    size_t resources;            /* that the plan lists at all, data sources left out */
    size_t launches;             /* of the intents */
    size_t skipped;              /* resources that cannot launch: of other types, or not changed */
    const char *const *unmapped; /* types that look like machines and are in no mapping */
    struct gl_keyset unmapped_keys; /* the same, each once; the readers' */
    const char *const *notes;       /* "partial plan: made with -target"; "wrapper lines dropped" */
    bool is_partial;                /* part of the change is not in it */
};
void gl_hook_plan_done(struct gl_hook_plan *plan);

/* The intents as JSON: {"greenlaunch_intents":1,"plan":{...},"intents":[...],"coverage":{...}}. */

json_t *gl_hook_plan_json(const struct gl_hook_plan *plan);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_MAPPING_H
#define GL_BROKER_HOOK_MAPPING_H

/* Which resource types are machines, and where their type, place and number stand: one declarative
 * file a provider (broker/hook/mapping/NAME.yaml, carried by the program), overridden or extended
 * by files of the same form that the user names (--mapping-dir). Sources of the rows: each row's
 * `verified`. Syntax: docs/hook-mapping.md.
 *
 * Paths are relative to the attributes of a resource:
 *   a.b            member b of a; arrays (blocks) and texts with JSON are stepped into in silence
 *   a[*].b         the same where several items are usual
 *   a[*].(b ; c)   for every item, b or else c
 *   (b ; c)        b or else c, as a part of a sum
 *   a ; b          the first that is present
 *   a + b          both: all their texts, or the sum of their numbers
 *   a -> type.p    follow the value or the reference in a to a resource of that type, then p there
 *   a -> type.(b ; c)   there b, or else c
 *   a ? b          b, unless a says false
 *   =3 =unknown    a constant; something nobody says
 * A name that is not found is looked for as Pulumi writes it too: aB, aBs.
 */

#include "broker/hook/attributes.h"
#include "broker/hook/intent.h"

/* How a place is written in an attribute. */
enum gl_place_kind {
    GL_PLACE_REGION,
    GL_PLACE_ZONE,     /* "us-east-1a": the region follows from it by the provider's rule */
    GL_PLACE_LOCATION, /* region or zone, display names too: "West Europe" */
    GL_PLACE_ARN,      /* field 4 */
    GL_PLACE_ALSO,     /* regions beside the one that is found for the resource */
};

struct gl_place_row {
    const struct gl_path *path;
    enum gl_place_kind kind;
};

struct gl_count_row {
    const struct gl_path *min, *desired, *max; /* NULL = not said */
    const struct gl_path *or_min, *or_max; /* of all values there the least and the most widen */
    const struct gl_path *or_plus;         /* machines beside those of or_min and or_max */
    bool zero_is_no_limit;                 /* a max of 0 is none at all */
    const struct gl_path *scales_if;       /* said and not true: desired only, no bounds */
    bool zero_is_unsaid;                   /* 0 wanted is the standard, a factor of 0 is 1 */
    const struct gl_path *total_min, *total_desired, *total_max; /* said instead: no factors */
    const struct gl_path *per; /* e.g. node_locations: times its length */
    int64_t per_assumed; /* when `per` is not known and the place is a whole region; 0 = none */
    bool per_adds_zone;  /* a place that is a zone is not among `per` */
    const struct gl_path *times; /* a factor: 1 + replicas is written plus */
    int64_t times_plus;
    const struct gl_path *doubled_if; /* true or a word of doubled_words: times `doubled_by` */
    const char *const *doubled_words;
    int64_t doubled_by;
    const struct gl_path *doubled_unless; /* there and none of its words: the same */
    const char *const *doubled_unless_words;
    const struct gl_path *tripled_if; /* the same, times three */
    const char *const *tripled_words;
    const struct gl_path *none_if; /* equal to a word of none_words: not running, count 0 */
    const char *const *none_words;
    const struct gl_path *only_if; /* present and none of only_words (NULL = absent): count 0 */
    const char *const *only_words;
    const struct gl_path *briefly_if; /* true: runs for minutes only, min and desired are 0 */
    const struct gl_path *open_if;    /* true or a word of open_words: max is not known */
    const char *const *open_words;
    const struct gl_path *ready;    /* with machines kept ready so many; not said: the most */
    const struct gl_path *ready_if; /* a word of ready_words: those run too */
    const char *const *ready_words;
    const struct gl_path *weight;    /* capacity units of one machine; the least of them divides */
    const char *unit;                /* "machine" or "vcpu" */
    const struct gl_path *unit_from; /* "vcpu" there: that unit; "memory-mib": unknown */
    int64_t standard; /* when nothing is said: documented default; GL_UNKNOWN = unknown */
};

struct gl_mapping_row {
    const char *type; /* "aws_instance"; a CloudFormation or Pulumi type has its own row or alias */
    const char *const *aliases;
    enum gl_role role;
    const char *cloud;                    /* "aws" */
    const char *provider;                 /* local name of the provider: "aws", "google" */
    const struct gl_path *machine;        /* NULL = none visible */
    const char *machine_standard;         /* "t3.medium": documented default; NULL */
    const char *const *machine_strip;     /* prefixes to take off for the catalogue: "db.", "ml." */
    const struct gl_path *vcpus, *memory; /* fractions and custom sizes */
    const struct gl_path *size;           /* of one, in its provider's units: only compared */
    const char *vcpu_unit;                /* "cores" "units" (1024 = one) "milli" */
    const char *memory_unit;              /* "MiB" "GiB" "KiB" "bytes"; a suffix there wins */
    const struct gl_path *opaque_if;      /* true or present: the role is opaque */
    const struct gl_path *opaque_unless;  /* present and none of these: the same */
    const char *const *opaque_unless_words;
    const struct gl_path *accelerator, *accelerator_count; /* count not said: one */
    const struct gl_place_row *places; /* in order of precedence; place_count of them */
    size_t place_count;
    struct gl_count_row count;
    const struct gl_path *variant; /* of a type that may be any: its text up to "@" names the row */
    bool is_change;    /* it holds what changes of another resource: what it leaves out stays */
    const char *holds; /* there: the attribute with what it says, for rows of others; NULL */
    const struct gl_path *latest_if; /* a word of latest_words: it changes with what it refers to */
    const char *const *latest_words;
    const struct gl_path *target;       /* of a scaler: the group it changes */
    const char *const *target_types;    /* "aws_autoscaling_group" */
    const struct gl_path *named;        /* by what texts scalers may name it: kind, space, name */
    const struct gl_path *target_named; /* of a scaler: the same texts of what it changes */
    const struct gl_path *interruptible;
    const char *const *interruptible_words; /* "spot" "SPOT" "true" */
    const struct gl_path *duration;         /* seconds, or a duration text */
    const struct gl_path *tags;
    const char *note;     /* printed with every intent of it; NULL */
    const char *verified; /* "hashicorp/aws 6.25.0"; "" = not verified */
    const char *source;   /* file the row came from */
};

/* What holds for all types of a provider. */
struct gl_mapping_provider {
    const char *name, *cloud;
    const char *const *sources;       /* "hashicorp/aws": addresses of the registry */
    const char *const *region_paths;  /* of the provider block: "region", "zone" */
    enum gl_place_kind *region_kinds; /* of each path */
    bool has_binding_region;          /* a zone elsewhere contradicts the provider's region (AWS) */
    const char *const *environment;   /* "AWS_REGION", ... */
    const char *zone_rule;            /* "letter" "dash-letter" ..., docs/hook-mapping.md */
    const char *const *machine_like;  /* attributes that make an unmapped type suspicious */
    const char *const *filled_in;     /* blocks that come of themselves; NULL = any may */
};

struct gl_hook_mapping;

/* The carried files, then those of `folder` (NULL = none) in order of name; a row of the same type
 * replaces the carried one whole. Of the carried ones only what is asked for is parsed. NULL: IO,
 * TOO_LARGE, SYNTAX, BAD_VALUE and the like with file:line:column; the first error in *err.
 * A carried one that is wrong ends the program when it is asked for.
 * Not for two threads at once: lookups parse. */
struct gl_hook_mapping *gl_mapping_open(const char *folder, struct gl_error *err);
/* The same; every error of the user's files, as text for people with source lines and carets, is
 * appended to `out_report`. */
struct gl_hook_mapping *gl_mapping_open_reporting(const char *folder, struct gl_str *out_report,
                                                  struct gl_error *err);
void gl_mapping_free(struct gl_hook_mapping *mapping);

/* The row of a resource type or alias; NULL = not mapped. */
const struct gl_mapping_row *gl_mapping_row(const struct gl_hook_mapping *mapping,
                                            const char *type);
/* The name Terraform has for a type of another tool ("aws:ec2/subnet:Subnet" -> "aws_subnet"); the
 * type itself when it is no alias. */
const char *gl_mapping_type(const struct gl_hook_mapping *mapping, const char *type);
/* The provider of a resource type ("aws_instance" -> aws), or by registry address or local name;
 * NULL when there is no file about it. */
const struct gl_mapping_provider *gl_mapping_provider(const struct gl_hook_mapping *mapping,
                                                      const char *type_or_name);
/* Every row, for `hook mapping list` and the tests; NULL after the last. */
const struct gl_mapping_row *gl_mapping_at(const struct gl_hook_mapping *mapping, size_t index);
/* Is this attribute of resources of `type` ever read: by a row of its own, or by a row that follows
 * to it (aws_subnet.availability_zone)? Readers keep these and drop the rest. Of types that are
 * read at all, those by which others refer to a resource (`id`, `name`, `arn`, `self_link`) or
 * learn their place from it (`region`, `zone`, ...) always are; attribute NULL: is the type? */
bool gl_mapping_reads(const struct gl_hook_mapping *mapping, const char *type,
                      const char *attribute);
/* Which resources of a type look like machines that no row knows. */
enum gl_suspicion {
    GL_SUSPECT_NONE, /* mapped, or a value */
    GL_SUSPECT_ALL,  /* one of those that run machines, whichever tool names it */
    GL_SUSPECT_SOME, /* those whose attributes say so */
};
enum gl_suspicion gl_mapping_suspicion(const struct gl_hook_mapping *mapping, const char *type);
/* Of GL_SUSPECT_SOME: do these attributes say so, or those known only after apply, true in `later`?
 */
bool gl_mapping_says_machine(const struct gl_hook_mapping *mapping, const char *type,
                             const struct gl_jtree *tree, const struct gl_jnode *attributes);
bool gl_mapping_says_machine_later(const struct gl_jtree *tree, const struct gl_jnode *later);
/* All of it at once. */
bool gl_mapping_is_suspect(const struct gl_hook_mapping *mapping, const char *type,
                           const struct gl_jtree *tree, const struct gl_jnode *attributes);
/* Is it one of those that run machines, whichever tool names it? */
bool gl_mapping_is_machine_type(const char *type);
/* Does a text that is handed to a program, such as a call as JSON? */
bool gl_mapping_is_suspect_text(const char *text);

/* ---- reading by rows ---- */

/* Role, cloud, machine, count, place (from attributes alone: surety CERTAIN, HIGH when followed;
 * evidence "attribute", "zone", "arn" or "parent"), interruptible, duration, tags, notes and
 * unknown[] of one resource by its row; the rest of *out is left alone. What attributes do not say
 * of the place is left with surety NOT for the reader to find elsewhere. */
void gl_mapping_extract(const struct gl_hook_mapping *mapping, const struct gl_mapping_row *row,
                        const struct gl_attributes *attributes, const struct gl_follower *follower,
                        struct gl_arena *arena, struct gl_intent *out);
/* Is the machine or a number of `intent` not known, and what the row would read it from another one
 * after the change than before, or known only then? */
bool gl_mapping_is_untold(const struct gl_mapping_row *row, const struct gl_intent *intent,
                          const struct gl_attributes *before, const struct gl_attributes *after);
/* Region of a zone, location or ARN by the provider's rule, in the arena; NULL when it has none. */
const char *gl_mapping_region(const struct gl_mapping_provider *provider, enum gl_place_kind kind,
                              const char *text, struct gl_arena *arena);
/* Does a change from `before` to `after` launch, and what is it? For updates in place. */
enum gl_change gl_intent_compare(const struct gl_intent *before, const struct gl_intent *after);

#endif

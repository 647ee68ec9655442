/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"
#include "providers/data/data.h"

#include <stdio.h>
#include <string.h>

#define TEXTS_MAX 400 /* alternatives, zones, containers of one resource */
#define TAGS_MAX  64
#define TAG_BYTES 512
#define HOW_BYTES 256

static const char *const truth[] = {"true", NULL};

static const char *const *push(struct gl_arena *arena, const char *const *list, size_t *count,
                               const char *text)
{
    const char **grown = gl_arena_grow(arena, list, *count, sizeof *grown);

    if (*count + 1 < TEXTS_MAX)
        grown[(*count)++] = text;
    return grown;
}

/* Texts of the mapping end with it; an intent keeps its own. */
static const char *own(struct gl_arena *arena, const char *text)
{
    return text != NULL ? gl_arena_text(arena, text, strlen(text)) : NULL;
}

/* NULL after the last one. */
static const char *const *ended(struct gl_arena *arena, const char *const *list, size_t count)
{
    const char **whole;

    if (count == 0)
        return NULL;
    whole = gl_arena_take(arena, (count + 1) * sizeof *whole);
    memcpy(whole, list, count * sizeof *whole);
    return whole;
}

static bool has(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

void gl_extract_note(struct gl_extraction *extraction, const char *text)
{
    extraction->notes = push(extraction->arena, extraction->notes, &extraction->note_count, text);
}

/* Of what is known later: the attribute that is hidden, when that is why; NULL. */
static const char *note_hidden(struct gl_extraction *extraction, const struct gl_path *path)
{
    const char *name =
        gl_path_hidden(path, extraction->attributes, extraction->follower, extraction->arena);

    if (name != NULL && !has(extraction->sensitive, extraction->sensitive_count, name))
        extraction->sensitive =
            push(extraction->arena, extraction->sensitive, &extraction->sensitive_count, name);
    return name;
}

void gl_extract_unknown(struct gl_extraction *extraction, const struct gl_path *path)
{
    const char *head = gl_path_head(path);

    if (head[0] != '\0' && !has(extraction->unknown, extraction->unknown_count, head))
        extraction->unknown = push(extraction->arena, extraction->unknown,
                                   &extraction->unknown_count, own(extraction->arena, head));
    (void)note_hidden(extraction, path);
}

/* Where it cannot be told whether anybody wrote it, what the provider fills in is left alone. */
bool gl_extract_is_untold(struct gl_extraction *extraction, const struct gl_path *path)
{
    const struct gl_follower *follower = extraction->follower;
    const char *texts[TEXTS_MAX];
    enum gl_known known;
    bool is_written = follower == NULL || follower->is_written == NULL;

    if (path == NULL)
        return false;
    gl_path_choices(path, extraction->attributes, follower, extraction->arena, texts, TEXTS_MAX,
                    &known, NULL);
    if (known != GL_KNOWN_LATER)
        return false;
    if (!is_written && gl_path_written(path, extraction->attributes, follower) != 1 &&
        gl_path_hidden(path, extraction->attributes, follower, extraction->arena) == NULL)
        return false;
    gl_extract_unknown(extraction, path);
    return true;
}

static size_t texts_of(struct gl_extraction *extraction, const struct gl_path *path,
                       const char *out[TEXTS_MAX], enum gl_known *out_known, const char **out_how)
{
    *out_known = GL_KNOWN_ABSENT;
    if (out_how != NULL)
        *out_how = NULL;
    return path == NULL ? 0
                        : gl_path_texts(path, extraction->attributes, extraction->follower,
                                        extraction->arena, out, TEXTS_MAX, out_known, out_how);
}

/* Of all that it may be. */
static size_t choices_of(struct gl_extraction *extraction, const struct gl_path *path,
                         const char *out[TEXTS_MAX], enum gl_known *out_known, const char **out_how)
{
    *out_known = GL_KNOWN_ABSENT;
    *out_how = NULL;
    return path == NULL ? 0
                        : gl_path_choices(path, extraction->attributes, extraction->follower,
                                          extraction->arena, out, TEXTS_MAX, out_known, out_how);
}

static bool is_among(const char *const *words, const char *const *texts, size_t count,
                     enum gl_known known)
{
    for (words = words != NULL ? words : truth; *words != NULL; words++)
        if (has(texts, count, *words) || (strcmp(*words, "*") == 0 && known == GL_KNOWN_VALUE))
            return true;
    return false;
}

bool gl_extract_matches(struct gl_extraction *extraction, const struct gl_path *path,
                        const char *const *words)
{
    const char *texts[TEXTS_MAX];
    enum gl_known known;
    size_t count = texts_of(extraction, path, texts, &known, NULL);

    return is_among(words, texts, count, known);
}

/* ---- the machine ---- */

static int64_t sum(const char *const *texts, size_t count, const char *unit,
                   int64_t (*read)(const char *text, const char *unit))
{
    int64_t total = count > 0 ? 0 : GL_UNKNOWN;

    for (size_t i = 0; i < count && total != GL_UNKNOWN; i++) {
        int64_t part = read(texts[i], unit);

        total = part == GL_UNKNOWN || part > INT64_MAX - total ? GL_UNKNOWN : total + part;
    }
    return total;
}

/* What is known later is told only where no type says it. */
static int64_t quantity(struct gl_extraction *extraction, const struct gl_path *path,
                        const char *unit, int64_t (*read)(const char *text, const char *unit),
                        bool is_needed)
{
    const char *texts[TEXTS_MAX];
    enum gl_known known;
    size_t count = texts_of(extraction, path, texts, &known, NULL);

    if (known == GL_KNOWN_LATER && is_needed)
        gl_extract_unknown(extraction, path);
    return sum(texts, count, unit, read);
}

/* Of some resources the number alone is said. */
static void extract_accelerator(struct gl_extraction *extraction, struct gl_intent_machine *out)
{
    const struct gl_mapping_row *row = extraction->row;
    const char *texts[TEXTS_MAX] = {"gpu"};
    bool is_named = row->accelerator != NULL;
    enum gl_known known = GL_KNOWN_ABSENT;

    out->accelerator_count = GL_UNKNOWN;
    if (is_named && texts_of(extraction, row->accelerator, texts, &known, NULL) == 0)
        return;
    known = GL_KNOWN_ABSENT;
    if (row->accelerator_count != NULL)
        out->accelerator_count = gl_path_number(row->accelerator_count, extraction->attributes,
                                                extraction->follower, &known);
    if (known == GL_KNOWN_LATER)
        gl_extract_unknown(extraction, row->accelerator_count);
    else if (is_named && known != GL_KNOWN_VALUE)
        out->accelerator_count = 1;
    if (out->accelerator_count != 0 &&
        (is_named || known == GL_KNOWN_VALUE || known == GL_KNOWN_LATER))
        out->accelerator = texts[0];
}

static void keep_types(struct gl_extraction *extraction, const char *const *texts, size_t count,
                       struct gl_intent_machine *out)
{
    const char *const *types = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (!has(types, kept, texts[i]))
            types = push(extraction->arena, types, &kept, texts[i]);
    out->type = types[0];
    if (kept > 1)
        out->candidates = ended(extraction->arena, types, kept);
}

/* As the tables spell it: some clouds take "STANDARD_A1_V2" for "Standard_A1_v2". */
static const char *spelled(const char *cloud, const char *name)
{
    const struct gl_type_row *rows;
    size_t count;

    if (cloud == NULL || gl_data_type(cloud, name) != NULL)
        return name;
    count = gl_data_types(&rows);
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(rows[i].name, name) == 0 && strcmp(rows[i].cloud, cloud) == 0)
            return rows[i].name;
    return name;
}

/* Of what draws most of the power something is not known: whatever else is said of the machine is
 * not enough. */
static bool has_untold_accelerator(struct gl_extraction *extraction)
{
    const struct gl_mapping_row *row = extraction->row;

    return gl_extract_is_untold(extraction, row->accelerator) ||
           gl_extract_is_untold(extraction, row->accelerator_count);
}

static void extract_machine(struct gl_extraction *extraction, struct gl_intent_machine *out)
{
    const struct gl_mapping_row *row = extraction->row;
    const char *texts[TEXTS_MAX], *how;
    enum gl_known known;
    size_t count = choices_of(extraction, row->machine, texts, &known, &how);

    *out = gl_intent_no_machine;
    if (count == TEXTS_MAX) {
        gl_extract_unknown(extraction, row->machine);
        gl_extract_note(extraction, "more alternatives than are looked at");
    } else if (known == GL_KNOWN_LATER) { /* one that is not known may be worse than the others */
        gl_extract_unknown(extraction, row->machine);
    } else if (known == GL_KNOWN_BLOCK) {
        out->how = "the provider picks any machine that fits what is required: name types instead, "
                   "so that they can be judged";
    } else if (count > 0) {
        keep_types(extraction, texts, count, out);
        out->surety = how != NULL ? GL_SURE_HIGH : GL_SURE_CERTAIN;
        out->how = own(extraction->arena, how);
    } else if (row->machine_standard != NULL) {
        out->type = own(extraction->arena, row->machine_standard);
        out->surety = GL_SURE_ASSUMED;
        out->how = "default of the service";
    }
    if (out->type != NULL)
        out->catalogue = spelled(
            row->cloud, gl_hook_catalogue(out->type, row->machine_strip, extraction->arena));
    out->vcpus_u =
        quantity(extraction, row->vcpus, row->vcpu_unit, gl_hook_vcpus, out->type == NULL);
    out->memory_mib =
        quantity(extraction, row->memory, row->memory_unit, gl_hook_memory, out->type == NULL);
    out->size_u = quantity(extraction, row->size, "cores", gl_hook_vcpus, row->size != NULL);
    if (out->type != NULL && out->vcpus_u == GL_UNKNOWN && out->memory_mib == GL_UNKNOWN)
        (void)gl_hook_custom_size(out->type, &out->vcpus_u, &out->memory_mib);
    if (out->type == NULL && (out->vcpus_u != GL_UNKNOWN || out->memory_mib != GL_UNKNOWN))
        out->surety = GL_SURE_CERTAIN;
    extract_accelerator(extraction, out);
    if (has_untold_accelerator(extraction))
        *out = gl_intent_no_machine;
}

/* ---- the place ---- */

static const char *evidence_word(enum gl_place_kind kind, bool is_zone, bool is_followed)
{
    if (is_followed)
        return "parent";
    if (kind == GL_PLACE_ARN)
        return "arn";
    return is_zone ? "zone" : "attribute";
}

/* Once a resource: not worth a format. */
static const char *how_of(struct gl_extraction *extraction, const struct gl_place_row *row,
                          const char *followed)
{
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = HOW_BYTES};

    gl_str_add(&text, followed != NULL ? followed : "attribute ");
    if (followed != NULL)
        gl_str_add(&text, ", through ");
    gl_str_add(&text, gl_path_head(row->path));
    return gl_arena_text(extraction->arena, gl_str_text(&text), text.length);
}

static bool is_zone(const struct gl_place_row *row, const char *text, const char *region)
{
    return row->kind == GL_PLACE_ZONE ||
           (row->kind == GL_PLACE_LOCATION && region != NULL && strcasecmp(text, region) != 0 &&
            strchr(text, ' ') == NULL && strlen(text) > strlen(region));
}

/* A zone lies in one region; of other words the first may well go before the rest. */
static void contradict(struct gl_extraction *extraction, struct gl_intent_place *out,
                       const char *how, const char *region, bool is_about_zone)
{
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = HOW_BYTES};
    const char *conflict;

    gl_str_addf(&text, "%s says %s", how, region);
    conflict = gl_arena_text(extraction->arena, gl_str_text(&text), text.length);
    if (is_about_zone)
        gl_intent_dispute(out, region, conflict, extraction->arena);
    else if (out->conflict == NULL)
        out->conflict = conflict;
}

/* True when what would say its region is hidden. A zone too: it may be one of another grid. */
static bool hide_place(struct gl_extraction *extraction, const struct gl_place_row *row,
                       struct gl_intent_place *out)
{
    const char *name = note_hidden(extraction, row->path);

    if (name == NULL || out->region != NULL)
        return false;
    gl_intent_hide_place(out, name, extraction->arena);
    return true;
}

/* One line of the row's places: the first that says a region decides, later ones add the zones, or
 * contradict. */
static void add_place(struct gl_extraction *extraction, const struct gl_mapping_provider *provider,
                      const struct gl_place_row *row, struct gl_intent_place *out)
{
    const char *texts[TEXTS_MAX], *zones[TEXTS_MAX], *followed;
    enum gl_known known;
    size_t count = choices_of(extraction, row->path, texts, &known, &followed);
    size_t zone_count = 0;
    bool is_first = out->region == NULL;

    for (size_t i = 0; i < count; i++) {
        const char *region = gl_mapping_region(provider, row->kind, texts[i], extraction->arena);
        bool is_in_zone = is_zone(row, texts[i], region);

        if (is_in_zone)
            zones[zone_count++] = texts[i];
        if (region == NULL)
            continue;
        if (out->region == NULL && out->conflict != NULL) {
            gl_intent_add_candidate(out, region, extraction->arena);
        } else if (out->region == NULL) {
            out->region = region;
            out->how = how_of(extraction, row, followed);
            out->evidence = evidence_word(row->kind, is_in_zone, followed != NULL);
            out->surety =
                followed != NULL || row->kind == GL_PLACE_ARN ? GL_SURE_HIGH : GL_SURE_CERTAIN;
        } else if (is_first) {
            gl_intent_add_candidate(out, region, extraction->arena);
        } else if (strcmp(out->region, region) != 0) {
            contradict(extraction, out, how_of(extraction, row, followed), region,
                       is_in_zone || out->zone != NULL);
        }
    }
    if (out->zone == NULL && zone_count > 0) {
        out->zone = zones[0];
        out->zones = ended(extraction->arena, zones, zone_count);
    }
}

/* Regions beside the one that the reader finds. */
static void add_also(struct gl_extraction *extraction, const struct gl_place_row *row,
                     struct gl_intent_place *out)
{
    const char *texts[TEXTS_MAX], *how;
    enum gl_known known;
    size_t count = choices_of(extraction, row->path, texts, &known, &how);

    if (known == GL_KNOWN_LATER || count == TEXTS_MAX) {
        gl_extract_unknown(extraction, row->path);
        out->has_more = true;
    }
    out->candidates = ended(extraction->arena, texts, count);
    out->is_beside = true;
}

static void extract_place(struct gl_extraction *extraction,
                          const struct gl_mapping_provider *provider, struct gl_intent_place *out)
{
    const struct gl_mapping_row *row = extraction->row;

    *out = (struct gl_intent_place){
        .how = "no attribute says it", .evidence = "none", .surety = GL_SURE_NOT};
    for (size_t i = 0; i < row->place_count; i++) {
        if (hide_place(extraction, &row->places[i], out))
            return;
        if (row->places[i].kind == GL_PLACE_ALSO)
            add_also(extraction, &row->places[i], out);
        else
            add_place(extraction, provider, &row->places[i], out);
    }
}

/* ---- the rest ---- */

static int extract_interruptible(struct gl_extraction *extraction)
{
    const struct gl_mapping_row *row = extraction->row;
    const char *texts[TEXTS_MAX];
    enum gl_known known;
    size_t count;

    if (row->interruptible == NULL)
        return -1;
    count = texts_of(extraction, row->interruptible, texts, &known, NULL);
    return known == GL_KNOWN_LATER ? -1 : is_among(row->interruptible_words, texts, count, known);
}

static int64_t extract_duration(struct gl_extraction *extraction)
{
    const char *texts[TEXTS_MAX];
    enum gl_known known;
    size_t count = texts_of(extraction, extraction->row->duration, texts, &known, NULL);

    return count > 0 ? gl_hook_duration(texts[0]) : GL_UNKNOWN;
}

/* The tags, by the names of the path: an object, or the objects of a list; NULL when there are
 * none.
 */
static const struct gl_jnode *tags_of(const struct gl_attributes *from, const struct gl_path *path)
{
    const struct gl_path_term *term = path->first->terms;
    const struct gl_jnode *node = from->values;

    for (size_t i = 0; i < term->step_count; i++) {
        if (gl_jnode_is(node, GL_JARRAY))
            node = gl_jnode_at(from->tree, node, 0);
        node = gl_jnode_get(from->tree, node, term->steps[i].name);
    }
    return node;
}

/* "key=value", cut where it is too long. */
static const char *tag_text(struct gl_arena *arena, const char *key, const char *value)
{
    size_t begun = strnlen(key, TAG_BYTES - 1), more = strnlen(value, TAG_BYTES - 1 - begun);
    char *text = gl_arena_take(arena, begun + 1 + more + 1);

    memcpy(text, key, begun);
    text[begun] = '=';
    memcpy(text + begun + 1, value, more);
    return text;
}

/* "Name" = "web" of an object, or {"key": "Name", "value": "web"} of a list. */
static const char *tag_of(const struct gl_jtree *tree, const struct gl_jnode *tags,
                          const struct gl_jnode *tag, struct gl_arena *arena)
{
    const char *key, *value;

    if (tags->kind == GL_JOBJECT) {
        key = gl_jnode_key(tree, tag);
        value = gl_jnode_text(tree, tag);
    } else {
        key = gl_jnode_text(tree, gl_jnode_get(tree, tag, "key"));
        value = gl_jnode_text(tree, gl_jnode_get(tree, tag, "value"));
    }
    return key != NULL && value != NULL ? tag_text(arena, key, value) : NULL;
}

const char *const *gl_mapping_tags(const struct gl_mapping_row *row,
                                   const struct gl_attributes *attributes, struct gl_arena *arena)
{
    const struct gl_jtree *tree = attributes->tree;
    const struct gl_path *path = row->tags;
    const struct gl_jnode *tags = path != NULL ? tags_of(attributes, path) : NULL;
    const char *list[TAGS_MAX];
    size_t count = 0;

    if (tags == NULL || (tags->kind != GL_JOBJECT && tags->kind != GL_JARRAY))
        return NULL;
    for (const struct gl_jnode *tag = gl_jnode_first(tree, tags); tag != NULL && count < TAGS_MAX;
         tag = gl_jnode_next(tree, tags, tag)) {
        const char *text = tag_of(tree, tags, tag, arena);

        if (text != NULL)
            list[count++] = text;
    }
    return ended(arena, list, count);
}

static bool is_opaque(struct gl_extraction *extraction)
{
    static const char *const present[] = {"true", "*", NULL};
    static const char *const lie[] = {"false", NULL};
    const struct gl_mapping_row *row = extraction->row;

    return (row->opaque_if != NULL && gl_extract_matches(extraction, row->opaque_if, present) &&
            !gl_extract_matches(extraction, row->opaque_if, lie)) ||
           gl_extract_is_other(extraction, row->opaque_unless, row->opaque_unless_words);
}

static void make_opaque(struct gl_extraction *extraction, struct gl_intent *out)
{
    out->role = GL_ROLE_OPAQUE;
    out->count = gl_intent_no_count;
    out->machine = gl_intent_no_machine;
    extraction->unknown_count = extraction->sensitive_count = 0; /* of machines not its own */
    gl_extract_note(extraction, extraction->row->opaque_unless != NULL
                                    ? own(extraction->arena, extraction->row->note)
                                    : "the service chooses its machines itself");
}

/* Machines that are gone before anything runs on them: told, not counted. */
static void make_brief(struct gl_extraction *extraction, struct gl_intent *out)
{
    GL_AUTO(gl_str_done) struct gl_str note = {0};

    gl_str_addf(&note, "%s for minutes, while it is created",
                out->machine.type != NULL ? out->machine.type : "machines");
    gl_extract_note(extraction, own(extraction->arena, gl_str_text(&note)));
    out->machine = gl_intent_no_machine;
}

void gl_mapping_extract(const struct gl_hook_mapping *mapping, const struct gl_mapping_row *row,
                        const struct gl_attributes *attributes, const struct gl_follower *follower,
                        struct gl_arena *arena, struct gl_intent *out)
{
    struct gl_extraction extraction = {
        .row = row, .attributes = attributes, .follower = follower, .arena = arena};

    out->role = row->role;
    out->cloud = own(arena, row->cloud);
    if (row->note != NULL && row->opaque_unless == NULL) /* else of the opaque ones */
        gl_extract_note(&extraction, own(arena, row->note));
    extract_place(&extraction, gl_mapping_provider(mapping, row->type), &out->place);
    extract_machine(&extraction, &out->machine);
    gl_extract_count(&extraction, &out->place, &out->count);
    if (out->count.is_brief)
        make_brief(&extraction, out);
    if (is_opaque(&extraction))
        make_opaque(&extraction, out);
    out->is_latest = row->latest_if != NULL &&
                     gl_extract_matches(&extraction, row->latest_if, row->latest_words);
    out->interruptible = extract_interruptible(&extraction);
    out->duration_s = extract_duration(&extraction);
    out->tags = gl_mapping_tags(row, attributes, arena);
    out->notes = ended(arena, extraction.notes, extraction.note_count);
    out->unknown = ended(arena, extraction.unknown, extraction.unknown_count);
    out->sensitive = ended(arena, extraction.sensitive, extraction.sensitive_count);
}

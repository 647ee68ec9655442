/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/cloudformation_part.h"
#include "broker/hook/yamltree.h"

#include <string.h>
#include <sys/stat.h>

/* Templates of CloudFormation, JSON and YAML, and the cloud assembly of CDK by its manifest. */

#define MANIFEST_MAX_BYTES  ((size_t)16 << 20)
#define MANIFEST_MAX_STACKS 1000
#define MANIFEST_MAX_DEPTH  4 /* assemblies within each other: stages */

/* ---- what it is, from the first bytes ---- */

struct looks_row {
    const char *first, *second; /* both are there; second may be NULL */
    int score;
};

static const struct looks_row looks[] = {
    {"\"aws:cloudformation:stack\"", "\"artifacts\"", 100},
    {"\"cdk:cloud-assembly\"", "\"artifacts\"", 90},
    {"\"cdk:asset-manifest\"", "\"artifacts\"", 80},
    {"AWSTemplateFormatVersion", NULL, 100},
    {"AWS::Serverless", "Resources", 90},
    {"\"Resources\"", "\"AWS::", 80},
    {"\nResources:", "AWS::", 80},
    {"Resources:", "Type: AWS::", 80},
    {"\"Parameters\"", "\"AWS::", 40},
    {"\nParameters:", "\n    Type: ", 30},
};

static int recognise(const char *bytes, size_t length, const char **out_why_not)
{
    static const char first[] = "Resources:"; /* of a template that has nothing before it */

    *out_why_not = NULL;
    if (length >= strlen(first) && memcmp(bytes, first, strlen(first)) == 0 &&
        memmem(bytes, length, "AWS::", 5) != NULL)
        return 80;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        const struct looks_row *row = &looks[i];

        if (memmem(bytes, length, row->first, strlen(row->first)) != NULL &&
            (row->second == NULL ||
             memmem(bytes, length, row->second, strlen(row->second)) != NULL))
            return row->score;
    }
    return 0;
}

/* ---- a document in memory ---- */

static bool is_json(const struct gl_str *text)
{
    const char *bytes = gl_str_text(text);

    return bytes[strspn(bytes, " \t\r\n")] == '{';
}

static int parse_yaml(const struct gl_str *text, const char *name, struct gl_jtree *out,
                      struct gl_error *err)
{
    struct gl_yamltree *yaml = gl_yamltree_new(gl_str_text(text), text->length, name, true);
    struct gl_jtree rest = {0};
    bool has = false;
    int status = gl_yamltree_next(yaml, out, &has, err);

    if (status == 0 && has)
        status = gl_yamltree_next(yaml, &rest, &has, err);
    if (status == 0 && has)
        status = gl_fail(err, GL_E_SYNTAX, "%s: a second document", name);
    gl_jtree_done(&rest);
    gl_yamltree_free(yaml);
    return status;
}

static int take_document(struct gl_feed *feed, size_t max_bytes, const char *name,
                         struct gl_jtree *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (gl_reader_slurp(feed, max_bytes, &text, err) != 0)
        return -1;
    return is_json(&text) ? gl_jtree_parse(out, gl_str_text(&text), text.length, name, err)
                          : parse_yaml(&text, name, out, err);
}

/* ---- a template ---- */

static struct gl_intent_place deployment(const struct gl_hook_options *options)
{
    struct gl_intent_place place = {0};

    if (options->deployment_region != NULL)
        place = (struct gl_intent_place){.region = options->deployment_region,
                                         .evidence = "asserted",
                                         .surety = GL_SURE_ASSERTED,
                                         .how = "--deploy-region"};
    return place;
}

static void end(struct gl_cfn *cfn)
{
    gl_jtree_done(&cfn->tree);
    gl_reader_index_done(&cfn->by_id);
    gl_reader_index_done(&cfn->by_address);
    gl_arena_done(&cfn->work);
}

static int read_template(struct gl_cfn *cfn, struct gl_error *err)
{
    int status = gl_cfn_intents(cfn, err);

    end(cfn);
    return status;
}

/* ---- the manifest of a cloud assembly ---- */

struct assembly {
    const struct gl_hook_options *options;
    struct gl_hook_plan *plan;
    const char *folder;
    unsigned depth;
    size_t *stacks;            /* so far, in all of them */
    struct gl_hasher *digests; /* of the files that are named, in order */
};

/* The file of the feed, which was read to its end, is part of the plan. */
static void add_digest(const struct assembly *assembly, const struct gl_feed *feed)
{
    struct gl_hash digest;

    gl_feed_digest(feed, digest.bytes);
    gl_hasher_add(assembly->digests, digest.bytes, sizeof digest.bytes);
}

/* A file beside the manifest, not elsewhere: names come from the document. */
static struct gl_feed *open_beside(const struct assembly *assembly, const char *name,
                                   const char **out_path, struct gl_error *err)
{
    struct stat status;
    const char *path;

    if (name == NULL || *name == '\0' || *name == '.' || strchr(name, '/') != NULL) {
        gl_fail(err, GL_E_BAD_VALUE, "%s: the manifest names a file elsewhere",
                assembly->plan->file);
        return NULL;
    }
    path = gl_reader_say(&assembly->plan->arena, "%s%s", assembly->folder, name);
    *out_path = path;
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        gl_fail(err, GL_E_BAD_VALUE, "%s: not a plain file", path);
        return NULL;
    }
    return gl_feed_open(path, path, err);
}

/* "aws://ACCOUNT/REGION"; a stack for any environment says unknown-region. */
static void place_of_environment(const struct assembly *assembly, const char *stack,
                                 const char *environment, struct gl_intent_place *out)
{
    const char *region = environment != NULL ? strrchr(environment, '/') : NULL;

    if (region == NULL || region[1] == '\0' || strncmp(environment, "aws://", 6) != 0 ||
        strcmp(region + 1, "unknown-region") == 0)
        return;
    gl_reader_set_place(&assembly->plan->arena, out, region + 1, "provider", GL_SURE_HIGH,
                        gl_reader_say(&assembly->plan->arena, "environment of stack %s", stack));
}

static int read_stack(const struct assembly *assembly, const struct gl_jtree *tree,
                      const struct gl_jnode *artifact, struct gl_error *err)
{
    const struct gl_jnode *properties = gl_jnode_get(tree, artifact, "properties");
    const char *id = gl_jnode_key(tree, artifact);
    struct gl_cfn cfn = {.options = assembly->options,
                         .plan = assembly->plan,
                         .place = deployment(assembly->options)};
    struct gl_feed *feed;
    int status;

    if (++*assembly->stacks > MANIFEST_MAX_STACKS)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: more than %d stacks", assembly->plan->file,
                       MANIFEST_MAX_STACKS);
    cfn.stack = gl_arena_text(&assembly->plan->arena, id, strlen(id));
    if (cfn.place.region == NULL)
        place_of_environment(assembly, cfn.stack,
                             gl_jnode_text(tree, gl_jnode_get(tree, artifact, "environment")),
                             &cfn.place);
    cfn.given =
        gl_reader_prune(&cfn.work, tree, gl_jnode_get(tree, properties, "parameters"), NULL, NULL);
    feed =
        open_beside(assembly, gl_jnode_text(tree, gl_jnode_get(tree, properties, "templateFile")),
                    &cfn.document, err);
    status =
        feed == NULL ? -1 : take_document(feed, GL_CFN_MAX_BYTES, cfn.document, &cfn.tree, err);
    if (status == 0)
        add_digest(assembly, feed);
    gl_feed_close(feed);
    if (status == 0)
        return read_template(&cfn, err);
    end(&cfn);
    return -1;
}

static int read_manifest(const struct assembly *assembly, const struct gl_jtree *tree,
                         struct gl_error *err);

/* "assembly-Prod", a folder beside the manifest with one of its own. */
static int read_nested(const struct assembly *assembly, const char *name, struct gl_error *err)
{
    struct assembly inner = *assembly;
    struct gl_jtree tree = {0};
    struct gl_feed *feed;
    struct stat status;
    const char *path;
    int result;

    if (name == NULL || *name == '\0' || *name == '.' || strchr(name, '/') != NULL ||
        ++inner.depth > MANIFEST_MAX_DEPTH)
        return gl_fail(err, GL_E_BAD_VALUE, "%s: the manifest names an assembly elsewhere",
                       assembly->plan->file);
    inner.folder = gl_reader_say(&assembly->plan->arena, "%s%s/", assembly->folder, name);
    path = gl_reader_say(&assembly->plan->arena, "%s%s", assembly->folder, name);
    if (lstat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return gl_fail(err, GL_E_BAD_VALUE, "%s: not a folder", path);
    feed = open_beside(&inner, "manifest.json", &path, err);
    result = feed == NULL ? -1 : take_document(feed, MANIFEST_MAX_BYTES, path, &tree, err);
    if (result == 0)
        add_digest(assembly, feed);
    gl_feed_close(feed);
    if (result == 0)
        result = read_manifest(&inner, &tree, err);
    gl_jtree_done(&tree);
    return result;
}

static int read_manifest(const struct assembly *assembly, const struct gl_jtree *tree,
                         struct gl_error *err)
{
    const struct gl_jnode *all = gl_jnode_get(tree, gl_jtree_root(tree), "artifacts");
    int status = 0;

    for (const struct gl_jnode *artifact = gl_jnode_is(all, GL_JOBJECT) ? gl_jnode_first(tree, all)
                                                                        : NULL;
         status == 0 && artifact != NULL; artifact = gl_jnode_next(tree, all, artifact)) {
        const char *type = gl_jnode_text(tree, gl_jnode_get(tree, artifact, "type"));
        const struct gl_jnode *properties = gl_jnode_get(tree, artifact, "properties");

        if (type == NULL)
            continue;
        if (strcmp(type, "aws:cloudformation:stack") == 0)
            status = read_stack(assembly, tree, artifact, err);
        else if (strcmp(type, "cdk:cloud-assembly") == 0)
            status = read_nested(
                assembly, gl_jnode_text(tree, gl_jnode_get(tree, properties, "directoryName")),
                err);
    }
    return status;
}

static const char *folder_of(struct gl_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    return gl_arena_text(arena, path, slash != NULL ? (size_t)(slash + 1 - path) : 0);
}

/* ---- either ---- */

/* Its digest covers the files it names too: they are what is deployed. */
static int read_assembly(const struct gl_jtree *tree, const struct gl_hook_options *options,
                         struct gl_hook_plan *plan, struct gl_error *err)
{
    size_t stacks = 0;
    struct gl_hasher digests;
    const struct assembly assembly = {options, plan,    folder_of(&plan->arena, plan->file),
                                      0,       &stacks, &digests};
    int status;

    plan->version = "AWS CDK";
    gl_hasher_init(&digests);
    gl_hasher_add(&digests, plan->digest.bytes, sizeof plan->digest.bytes);
    status = read_manifest(&assembly, tree, err);
    gl_hasher_end(&digests, &plan->digest);
    return status;
}

static int read_tree(struct gl_jtree *tree, const struct gl_hook_options *options,
                     struct gl_hook_plan *plan, struct gl_error *err)
{
    struct gl_cfn cfn = {
        .options = options, .plan = plan, .document = plan->file, .place = deployment(options)};

    if (gl_jnode_get(tree, gl_jtree_root(tree), "artifacts") != NULL)
        return read_assembly(tree, options, plan, err);
    if (tree->text_length > GL_CFN_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: larger than %zu bytes", plan->file,
                       GL_CFN_MAX_BYTES);
    cfn.tree = *tree;
    *tree = (struct gl_jtree){0};
    return read_template(&cfn, err);
}

static int read(struct gl_feed *feed, const struct gl_hook_options *options,
                struct gl_hook_plan *out, struct gl_error *err)
{
    struct gl_jtree tree = {0};
    int status;

    out->file = gl_arena_text(&out->arena, gl_feed_name(feed), strlen(gl_feed_name(feed)));
    out->reader = "cloudformation";
    out->version = "";
    status = take_document(feed, MANIFEST_MAX_BYTES, out->file, &tree, err);
    if (status == 0) {
        gl_feed_digest(feed, out->digest.bytes);
        status = read_tree(&tree, options, out, err);
    }
    gl_jtree_done(&tree);
    if (status != 0)
        return -1;
    gl_reader_add_text(&out->arena, &out->notes,
                       "a template has no before: every resource is taken as new");
    out->skipped = out->resources > out->count ? out->resources - out->count : 0;
    return 0;
}

const struct gl_hook_reader gl_reader_cloudformation = {
    .name = "cloudformation",
    .alias = "cdk",
    .what = "template of AWS CloudFormation or SAM, or the manifest of a CDK assembly",
    .where =
        "--region 'GLOB=REGION' says it of some, --parameter NAME=VALUE what hangs on a parameter",
    .shown = "what NoEcho hides is not read; a parameter without it shows it",
    .has_yaml = true,
    .recognise = recognise,
    .read = read,
};

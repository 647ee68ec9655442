/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapped command: what of `terraform apply ...` belongs to making the plan, and what to
 * applying it. Options that are not known are refused: what they would change is not known either.
 * Source: `terraform apply -help`, `terraform plan -help` (1.11) and the same of OpenTofu 1.10. */
#include <string.h>

#include "broker/cli/hook_run.h"

enum use { FOR_PLAN = 1, FOR_APPLY = 2, FOR_BOTH = 3, FOR_US = 4, FOR_NOBODY = 8 };

struct word_row {
    const char *name;
    bool has_value; /* -name VALUE or -name=VALUE; others take -name or -name=true */
    enum use use;
};

static const struct word_row rows[] = {
    {"auto-approve", false, FOR_US},
    {"destroy", false, FOR_PLAN},
    {"refresh", false, FOR_PLAN},
    {"refresh-only", false, FOR_PLAN},
    {"allow-deferral", false, FOR_PLAN},
    {"replace", true, FOR_PLAN},
    {"target", true, FOR_PLAN},
    {"target-file", true, FOR_PLAN},
    {"exclude", true, FOR_PLAN},
    {"exclude-file", true, FOR_PLAN},
    {"var", true, FOR_PLAN},
    {"var-file", true, FOR_PLAN},
    {"compact-warnings", false, FOR_BOTH},
    {"consolidate-warnings", false, FOR_BOTH},
    {"consolidate-errors", false, FOR_BOTH},
    {"concise", false, FOR_BOTH},
    {"input", false, FOR_BOTH},
    {"json", false, FOR_BOTH},
    {"lock", false, FOR_BOTH},
    {"lock-timeout", true, FOR_BOTH},
    {"no-color", false, FOR_BOTH},
    {"parallelism", true, FOR_BOTH},
    {"show-sensitive", false, FOR_BOTH},
    {"state", true, FOR_BOTH},
    {"state-out", true, FOR_APPLY},
    {"backup", true, FOR_APPLY},
    {"out", true, FOR_NOBODY},
};

/* "-name=value" or "--name": the name and its length. */
static const struct word_row *find_row(const char *word, size_t *out_length)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);

    *out_length = strcspn(name, "=");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].name) == *out_length && strncmp(rows[i].name, name, *out_length) == 0)
            return &rows[i];
    return NULL;
}

struct parsing {
    struct gl_hook_wrapped *out;
    size_t plan_count, apply_count;
};

static void put(struct parsing *parsing, enum use use, const char *word)
{
    if (use & FOR_PLAN)
        parsing->out->plan[parsing->plan_count++] = word;
    if (use & FOR_APPLY)
        parsing->out->apply[parsing->apply_count++] = word;
}

/* How many words the option takes, or -1. */
static int take_option(struct parsing *parsing, const char *const *words, struct gl_error *err)
{
    const char *word = words[0];
    size_t length;
    const struct word_row *row = find_row(word, &length);
    bool is_split = row != NULL && row->has_value && strchr(word, '=') == NULL;

    if (row == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--run: %.*s is no option of apply that is known, so what it changes is not "
                       "either; make the plan yourself and give it: apply PLANFILE",
                       (int)(length + (size_t)(word[1] == '-' ? 2 : 1)), word);
    if (row->use == FOR_NOBODY)
        return gl_fail(err, GL_E_USAGE, "--run: -%s is ours, the plan goes into a folder of ours",
                       row->name);
    if (is_split && words[1] == NULL)
        return gl_fail(err, GL_E_USAGE, "--run: -%s needs a value", row->name);
    if (row->use == FOR_US)
        parsing->out->is_approved = strchr(word, '=') == NULL || strstr(word, "=true") != NULL;
    put(parsing, row->use, word);
    if (is_split)
        put(parsing, row->use, words[1]);
    return is_split ? 2 : 1;
}

/* "terraform -chdir=DIR apply": the index of the first word after it, or -1. */
static int take_head(const char *const *argv, struct gl_hook_wrapped *out, struct gl_error *err)
{
    int at = 1, count = 0;

    if (argv == NULL || argv[0] == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--run needs the command: greenlaunch hook terraform --run -- terraform "
                       "apply");
    out->tool.program = argv[0];
    if (argv[at] != NULL && strncmp(argv[at], "-chdir=", 7) == 0)
        out->tool.chdir = argv[at++];
    if (argv[at] == NULL || strcmp(argv[at], "apply") != 0)
        return gl_fail(err, GL_E_USAGE,
                       "--run wraps apply and nothing else: %s [-chdir=DIR] apply [options]",
                       argv[0]);
    while (argv[count] != NULL)
        count++;
    if (count > GL_HOOK_WORDS_MAX)
        return gl_fail(err, GL_E_USAGE, "--run: more than %d words", GL_HOOK_WORDS_MAX);
    return at + 1;
}

static int take_word(struct parsing *parsing, const char *const *words, struct gl_error *err)
{
    if (words[0][0] == '-' && words[0][1] != '\0')
        return take_option(parsing, words, err);
    if (parsing->out->plan_file != NULL)
        return gl_fail(err, GL_E_USAGE, "--run: apply takes one plan file");
    parsing->out->plan_file = words[0];
    return 1;
}

/* A plan that is made already takes no option that would make another one. */
static int check_plan_file(const struct parsing *parsing, struct gl_error *err)
{
    if (parsing->out->plan_file == NULL)
        return 0;
    for (size_t i = 0; i < parsing->plan_count; i++) {
        const char *word = parsing->out->plan[i];
        size_t length;
        const struct word_row *row = word[0] == '-' ? find_row(word, &length) : NULL;

        if (row != NULL && row->use == FOR_PLAN)
            return gl_fail(err, GL_E_USAGE, "--run: -%s changes nothing in a plan that is made",
                           row->name);
    }
    return 0;
}

int gl_hook_wrapped_parse(const char *const *argv, struct gl_hook_wrapped *out,
                          struct gl_error *err)
{
    struct gl_hook_wrapped wrapped = {0};
    struct parsing parsing = {.out = &wrapped};
    int at = take_head(argv, &wrapped, err);

    while (at >= 0 && argv[at] != NULL) {
        int taken = take_word(&parsing, argv + at, err);

        at = taken < 0 ? -1 : at + taken;
    }
    if (at < 0 || check_plan_file(&parsing, err) != 0)
        return -1;
    *out = wrapped;
    return 0;
}

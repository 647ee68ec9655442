/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- what completes what ---- */

bool gl_completion_takes_value(const struct gl_option *option)
{
    return option->kind != GL_OPT_FLAG && option->kind != GL_OPT_COUNT;
}

const char *gl_completion_of_option(const struct gl_option *option, char out[64])
{
    if (option->choices != NULL)
        snprintf(out, 64, "%s", option->choices);
    else if (option->complete != NULL)
        snprintf(out, 64, "@%s", option->complete);
    else
        out[0] = '\0';
    return out;
}

/* Operands in capitals that have words of their own. */
static const struct {
    const char *name, *words;
} operand_words[] = {
    {"COMMAND", "@command"}, {"ZONE", "@zone"},         {"FILE", "@file"},
    {"NAME", "@instance"},   {"INSTANCE", "@instance"}, {"CLOUD/REGION/TYPE", "@offer"},
    {"CLOUD", "@provider"},  {"SOURCE", "@source"},
};

static const char *words_of_operand(const char *token, size_t length)
{
    for (size_t i = 0; i < sizeof operand_words / sizeof operand_words[0]; i++)
        if (strlen(operand_words[i].name) == length &&
            memcmp(operand_words[i].name, token, length) == 0)
            return operand_words[i].words;
    return NULL;
}

static void append(char out[160], const char *text, size_t length)
{
    size_t used = strlen(out);

    snprintf(out + used, 160 - used, "%s%.*s", used > 0 ? "|" : "", (int)length, text);
}

/* "check|test [FILE...]" is read as it stands: small words are themselves, capitals are kinds. What
 * stands after "--" is no word of ours. */
const char *gl_completion_of_operands(const struct gl_command *command, char out[160])
{
    out[0] = '\0';
    for (const char *at = command->operands; *at != '\0';) {
        size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/-");
        const char *words = words_of_operand(at, length);

        if (length == 2 && memcmp(at, "--", 2) == 0) {
            append(out, at, length);
            break;
        }
        if (words != NULL)
            append(out, words, strlen(words));
        else if (length > 0 && islower((unsigned char)at[0]))
            append(out, at, length);
        at += length > 0 ? length : 1;
    }
    return out;
}

/* "a|b" as "a b". */
static void add_spaced(struct gl_str *out, const char *words)
{
    for (; *words != '\0'; words++)
        gl_str_add_char(out, *words == '|' ? ' ' : *words);
}

/* ---- bash ---- */

static void bash_options(struct gl_str *out, const struct gl_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        if (options->help != NULL)
            gl_str_addf(out, " --%s", options->name);
}

static void bash_values(struct gl_str *out, const char *command, const struct gl_option *options)
{
    char words[64];

    for (; options != NULL && options->name != NULL; options++) {
        if (!gl_completion_takes_value(options) || options->help == NULL)
            continue;
        gl_str_addf(out, "    %s:--%s", command, options->name);
        if (options->letter != 0)
            gl_str_addf(out, " | %s:-%c", command, options->letter);
        gl_str_add(out, ") echo '");
        add_spaced(out, gl_completion_of_option(options, words));
        gl_str_addf(out, "' %s;;\n", options->kind == GL_OPT_OPTIONAL ? "optional " : "");
    }
}

static const char bash_head[] =
    "# bash completion for greenlaunch, generated from its tables. Load it with:\n"
    "#   source <(greenlaunch completion bash)\n";

static const char bash_tail[] =
    "# Candidates for the word $1 out of the words that follow; \"@kind\" is asked of the "
    "program.\n"
    "_greenlaunch_offer() {\n"
    "    local current=$1 word\n"
    "    shift\n"
    "    COMPREPLY=()\n"
    "    for word; do\n"
    "        case $word in\n"
    "        @file) COMPREPLY+=($(compgen -f -- \"$current\")) ;;\n"
    "        @*) COMPREPLY+=($(compgen -W \"$(\"${COMP_WORDS[0]}\" completion words "
    "\"${word#@}\" 2>/dev/null)\" -- \"$current\")) ;;\n"
    "        *) COMPREPLY+=($(compgen -W \"$word\" -- \"$current\")) ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "\n"
    "_greenlaunch() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command= attached= word values i\n"
    "\n"
    "    if [[ $current == = ]]; then\n"
    "        current= attached=1\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD-2]} attached=1\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        [[ $word == -- ]] && { COMPREPLY=($(compgen -c -f -- \"$current\")); return; }\n"
    "        [[ -z $command && \" $_greenlaunch_commands \" == *\" $word \"* ]] && command=$word\n"
    "    done\n"
    "    for word in \"${command:-launch}\" any; do\n" /* bare rules mean launch */
    "        values=$(_greenlaunch_values \"$word:$before\") || continue\n"
    "        [[ $values == *' optional' && -z $attached ]] && break\n"
    "        _greenlaunch_offer \"$current\" ${values% optional}\n"
    "        return\n"
    "    done\n"
    "    if [[ $current == -* ]]; then\n"
    "        _greenlaunch_offer \"$current\" $(_greenlaunch_options \"${command:-launch}\") "
    "$(_greenlaunch_options any)\n"
    "    elif [[ -z $command ]]; then\n"
    "        _greenlaunch_offer \"$current\" $_greenlaunch_commands\n"
    "    else\n"
    "        _greenlaunch_offer \"$current\" $(_greenlaunch_operands \"$command\")\n"
    "    fi\n"
    "}\n"
    "complete -o filenames -F _greenlaunch greenlaunch\n";

static void bash_tables(struct gl_str *out)
{
    char words[160];

    gl_str_add(out, "\n_greenlaunch_options() {\n    case $1 in\n");
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        gl_str_addf(out, "    %s) echo '", gl_commands[i]->name);
        bash_options(out, gl_commands[i]->options);
        gl_str_add(out, "' ;;\n");
    }
    gl_str_add(out, "    any) echo '");
    bash_options(out, gl_global_options);
    gl_str_add(out, "' ;;\n    esac\n}\n\n"
                    "# What follows an option; fails for one that takes no value.\n"
                    "_greenlaunch_values() {\n    case $1 in\n");
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        bash_values(out, gl_commands[i]->name, gl_commands[i]->options);
    bash_values(out, "any", gl_global_options);
    gl_str_add(out,
               "    *) return 1 ;;\n    esac\n}\n\n_greenlaunch_operands() {\n    case $1 in\n");
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        gl_str_addf(out, "    %s) echo '", gl_commands[i]->name);
        add_spaced(out, gl_completion_of_operands(gl_commands[i], words));
        gl_str_add(out, "' ;;\n");
    }
    gl_str_add(out, "    esac\n}\n\n");
}

void gl_completion_bash(struct gl_str *out)
{
    gl_str_add(out, bash_head);
    gl_str_add(out, "_greenlaunch_commands='");
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (gl_commands[i]->group != NULL)
            gl_str_addf(out, "%s%s", i > 0 ? " " : "", gl_commands[i]->name);
    gl_str_add(out, "'\n");
    bash_tables(out);
    gl_str_add(out, bash_tail);
}

/* ---- zsh ---- */

/* Inside "[...]" of an _arguments specification. */
static void zsh_text(struct gl_str *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
            gl_str_add_char(out, '\\');
        if (*text == '\'')
            gl_str_add(out, "'\\''");
        else
            gl_str_add_char(out, *text);
    }
}

/* The action of a value: a list, files, what the program says, or several of these. */
static void zsh_action(struct gl_str *out, const char *words)
{
    bool is_asked = strchr(words, '@') != NULL;

    if (strcmp(words, "@file") == 0) {
        gl_str_add(out, "_files");
    } else if (is_asked && strchr(words, '|') == NULL) {
        gl_str_addf(out, "_greenlaunch_words %s", words + 1);
    } else if (is_asked) {
        gl_str_add(out, " _greenlaunch_mixed "); /* the space: no options of compadd before */
        add_spaced(out, words);
    } else if (words[0] != '\0') {
        gl_str_add_char(out, '(');
        add_spaced(out, words);
        gl_str_add_char(out, ')');
    }
}

static void zsh_option(struct gl_str *out, const struct gl_option *option)
{
    char words[64];
    bool is_repeated = option->kind == GL_OPT_LIST || option->kind == GL_OPT_COUNT;

    gl_str_add(out, "        ");
    if (option->letter != 0)
        gl_str_addf(out, "%s{-%c%s,--%s%s}'", is_repeated ? "'*'" : "", option->letter,
                    gl_completion_takes_value(option) ? "+" : "", option->name,
                    gl_completion_takes_value(option) ? "=" : "");
    else
        gl_str_addf(out, "'%s--%s%s", is_repeated ? "*" : "", option->name,
                    option->kind == GL_OPT_OPTIONAL     ? "=-"
                    : gl_completion_takes_value(option) ? "="
                                                        : "");
    gl_str_add_char(out, '[');
    zsh_text(out, option->help);
    gl_str_add_char(out, ']');
    if (gl_completion_takes_value(option)) {
        gl_str_addf(out, "%s:%s:", option->kind == GL_OPT_OPTIONAL ? ":" : "",
                    option->argument != NULL ? option->argument : "value");
        zsh_action(out, gl_completion_of_option(option, words));
    }
    gl_str_add(out, "' \\\n");
}

static void zsh_options(struct gl_str *out, const struct gl_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        if (options->help != NULL)
            zsh_option(out, options);
}

static const char zsh_head[] =
    "#compdef greenlaunch\n"
    "# zsh completion for greenlaunch, generated from its tables. Put it into a folder of $fpath "
    "as\n"
    "# _greenlaunch, or load it with: source <(greenlaunch completion zsh)\n"
    "\n"
    "# _arguments puts options of compadd before the kind.\n"
    "_greenlaunch_words() {\n"
    "    local -a candidates\n"
    "    candidates=(${(f)\"$(greenlaunch completion words $argv[-1] 2>/dev/null)\"})\n"
    "    compadd \"${(@)argv[1,-2]}\" -a candidates\n"
    "}\n"
    "\n"
    "_greenlaunch_mixed() {\n"
    "    local word\n"
    "    for word; do\n"
    "        case $word in\n"
    "        @file) _files ;;\n"
    "        @*) _greenlaunch_words ${word#@} ;;\n"
    "        *) compadd -- $word ;;\n"
    "        esac\n"
    "    done\n"
    "}\n";

static void zsh_commands(struct gl_str *out)
{
    gl_str_add(out, "\n_greenlaunch_commands() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        if (gl_commands[i]->group == NULL)
            continue;
        gl_str_addf(out, "        '%s:", gl_commands[i]->name);
        zsh_text(out, gl_commands[i]->summary);
        gl_str_add(out, "'\n");
    }
    gl_str_add(out, "    )\n    _describe command commands\n}\n");
}

static void zsh_case(struct gl_str *out, const struct gl_command *command)
{
    char words[160];

    gl_str_addf(out, "    %s)\n        _arguments $everywhere \\\n", command->name);
    zsh_options(out, command->options);
    if (gl_completion_of_operands(command, words)[0] != '\0') {
        gl_str_add(out, "        '*:operand:");
        zsh_action(out, words);
        gl_str_add(out, "' \\\n");
    }
    gl_str_add(out, "        ;;\n");
}

void gl_completion_zsh(struct gl_str *out)
{
    gl_str_add(out, zsh_head);
    zsh_commands(out);
    gl_str_add(out, "\n_greenlaunch() {\n    local curcontext=$curcontext state line\n"
                    "    local -a everywhere\n    everywhere=( \\\n");
    zsh_options(out, gl_global_options);
    gl_str_add(out, "    )\n    _arguments -C $everywhere \\\n");
    zsh_options(out, gl_command_find("launch")->options); /* bare rules mean launch */
    gl_str_add(out, "        '1: :_greenlaunch_commands' '*::argument:->rest' && return\n    case "
                    "$words[1] in\n");
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (gl_commands[i]->group != NULL)
            zsh_case(out, gl_commands[i]);
    gl_str_add(out, "    esac\n}\n\nif [ \"$funcstack[1]\" = _greenlaunch ]; then\n"
                    "    _greenlaunch \"$@\"\nelse\n    compdef _greenlaunch greenlaunch\nfi\n");
}

/* ---- fish ---- */

static void fish_text(struct gl_str *out, const char *text)
{
    gl_str_add(out, " -d '");
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            gl_str_add_char(out, '\\');
        gl_str_add_char(out, *text);
    }
    gl_str_add_char(out, '\'');
}

/* " -a 'a b (ask zone)'"; files are completed by fish itself. */
static void fish_words(struct gl_str *out, const char *words)
{
    const char *separator = " -a '";

    for (size_t length; *words != '\0'; words += length + (words[length] == '|')) {
        length = strcspn(words, "|");
        if (strncmp(words, "@file", length) == 0 && length == strlen("@file"))
            continue;
        if (words[0] == '@')
            gl_str_addf(out, "%s(greenlaunch completion words %.*s 2>/dev/null)", separator,
                        (int)(length - 1), words + 1);
        else
            gl_str_addf(out, "%s%.*s", separator, (int)length, words);
        separator = " ";
    }
    if (separator[1] == '\0')
        gl_str_add_char(out, '\'');
}

/* `command` "" = while there is none, NULL = always. */
static void fish_option(struct gl_str *out, const char *command, const struct gl_option *option)
{
    char words[64];

    gl_str_add(out, "complete -c greenlaunch");
    if (command != NULL)
        gl_str_addf(out, " -n '%s%s'",
                    command[0] != '\0' ? "__fish_seen_subcommand_from " : "__fish_use_subcommand",
                    command);
    gl_str_addf(out, " -l %s", option->name);
    if (option->letter != 0)
        gl_str_addf(out, " -s %c", option->letter);
    gl_completion_of_option(option, words);
    if (strcmp(words, "@file") == 0) {
        gl_str_add(out, " -r -F");
    } else if (gl_completion_takes_value(option)) {
        gl_str_add(out, option->kind == GL_OPT_OPTIONAL ? "" : " -x");
        fish_words(out, words);
    }
    fish_text(out, option->help);
    gl_str_add_char(out, '\n');
}

static void fish_command(struct gl_str *out, const struct gl_command *command)
{
    char words[160];

    gl_str_addf(out, "complete -c greenlaunch -n __fish_use_subcommand -a %s", command->name);
    fish_text(out, command->summary);
    gl_str_add_char(out, '\n');
    gl_completion_of_operands(command, words);
    if (words[0] != '\0') {
        gl_str_addf(out, "complete -c greenlaunch -n '__fish_seen_subcommand_from %s'%s",
                    command->name, strstr(words, "@file") != NULL ? " -F" : "");
        fish_words(out, words);
        gl_str_add_char(out, '\n');
    }
    for (const struct gl_option *one = command->options; one != NULL && one->name != NULL; one++)
        if (one->help != NULL)
            fish_option(out, command->name, one);
}

void gl_completion_fish(struct gl_str *out)
{
    gl_str_add(out, "# fish completion for greenlaunch, generated from its tables. Load it with:\n"
                    "#   greenlaunch completion fish | source\n"
                    "complete -c greenlaunch -f\n");
    for (const struct gl_option *one = gl_global_options; one->name != NULL; one++)
        if (one->help != NULL)
            fish_option(out, NULL, one);
    /* Bare rules mean launch. */
    for (const struct gl_option *one = gl_command_find("launch")->options; one->name != NULL; one++)
        if (one->help != NULL)
            fish_option(out, "", one);
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (gl_commands[i]->group != NULL)
            fish_command(out, gl_commands[i]);
}

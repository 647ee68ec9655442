/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_ADAPTER_H
#define GL_PROVIDERS_VENUE_ADAPTER_H

/* What the venues share, and nobody else: what an adapter is, and the few steps each of them would
 * otherwise write again. */

#include "base/json.h"
#include "providers/cloud/remote.h"
#include "providers/venue/layout.h"
#include "providers/venue/venue.h"

#define GL_VENUE_SECRETS    4
#define GL_VENUE_TIMEOUT_MS 10000
#define GL_VENUE_CEILING    ((size_t)4 << 20) /* of an answer */
#define GL_VENUE_PAGES      10                /* looked through before absence is given up */

extern const struct gl_venue_ops gl_venue_file;
extern const struct gl_venue_ops gl_venue_browser;
extern const struct gl_venue_ops gl_venue_email;
extern const struct gl_venue_ops gl_venue_smtp;
extern const struct gl_venue_ops gl_venue_webhook;
extern const struct gl_venue_ops gl_venue_github;
extern const struct gl_venue_ops gl_venue_gitlab;
extern const struct gl_venue_ops gl_venue_aws_support;
extern const struct gl_venue_ops gl_venue_google_support;
extern const struct gl_venue_ops gl_venue_azure_support;
extern const struct gl_venue_ops gl_venue_ovh;
extern const struct gl_venue_ops gl_venue_jira;
extern const struct gl_venue_ops gl_venue_zendesk;

/* A request made ready for compose(). */
struct gl_venue_draft {
    enum gl_venue_action action;
    const struct gl_venue_request *request;
    const char *target; /* id of what is joined or withdrawn; checked by the layout */
    const char *tag;    /* "GL-7f3a91c2" */
    char title[GL_VENUE_TITLE + GL_VENUE_TAG + 4]; /* with the tag in brackets */
};

/* What an answer means where its status alone does not say; the first that fits counts. Ends at
 * answer NONE. */
struct gl_venue_rule {
    int status;       /* 0 = any */
    const char *text; /* somewhere in the body; NULL = any */
    enum gl_venue_answer answer;
};

/* One venue. Optional members are NULL. */
struct gl_venue_ops {
    const char *name, *title, *docs;
    unsigned caps; /* enum gl_venue_cap */
    const struct gl_setting_key *keys;
    const char *place_key; /* the setting that names the place */
    int64_t settle_s;      /* what was sent shows in its lists after that */
    int64_t idempotent_s;  /* IDEMPOTENT holds for so long; 0 = for ever */
    const struct gl_venue_rule *rules;
    const struct gl_venue_layout *layout; /* NULL where answers are no JSON that names requests */
    const char *sign_in_url; /* for a person, where a person is needed; "" or NULL = the place */

    /* Optional: settings against each other, state of its own. CONFIG. */
    int (*open)(struct gl_venue *venue, struct gl_error *err);
    void (*close)(struct gl_venue *venue);
    /* Must be pure: fill sender, note and steps. */
    int (*compose)(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err);
    /* Optional: add credentials to a call that is about to be sent. NO_CREDENTIAL. */
    int (*authorize)(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err);
    /* Optional: do a step that is no HTTP exchange. */
    int (*act)(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
               struct gl_venue_receipt *receipt, struct gl_error *err);
    /* Optional: the answer of a step into the receipt. BAD_REPLY is OUTCOME for a create. */
    int (*read)(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                struct gl_error *err);
    /* With FIND: 1, 0 or -1 as gl_venue_find(); USAGE = these settings do not allow it. */
    int (*find)(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err);
    int (*search)(struct gl_venue *venue, const char *words, struct gl_venue_candidate *out,
                  size_t *out_count, struct gl_error *err);
    int (*status)(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err);
};

struct gl_venue {
    const struct gl_venue_ops *ops;
    const struct gl_venue_options *options; /* of the caller; borrowed */
    char place[GL_VENUE_PLACE];
    char endpoint[256]; /* of gl_venue_take_endpoint(), else "" */
    enum gl_venue_answer answer;
    int64_t wait_s;
    struct gl_secret secrets[GL_VENUE_SECRETS]; /* in the order of the secret keys */
    bool has_read;
    bool has_begun; /* to send */
    void *state;    /* the adapter's */
};

/* ---- settings and secrets ---- */

/* The setting, its fallback, or NULL. Borrowed. */
const char *gl_venue_setting(const struct gl_venue *venue, const char *name);
/* The secret of a key as text ("" = not set); borrowed. Secrets are read at the first call.
 * -1 NO_CREDENTIAL naming the variable when it is required or `is_needed`. */
int gl_venue_secret(struct gl_venue *venue, const char *name, bool is_needed, const char **out,
                    struct gl_error *err);
/* The setting `endpoint` without its last slash into venue->endpoint, checked as https or this
 * machine; for open(). CONFIG. */
int gl_venue_take_endpoint(struct gl_venue *venue, struct gl_error *err);
/* Is it one of the words "a|b"? Never of NULL. */
bool gl_venue_is_one_of(const char *words, const char *text);
/* Is it one line of visible ASCII, at most `most` bytes, of these characters ("" = any visible)? */
bool gl_venue_is_word(const char *text, const char *allowed, size_t most);

/* ---- composing ---- */

/* The next step of a preview, zeroed but for method and address (printf-like). */
struct gl_venue_step *gl_venue_step_add(struct gl_venue_preview *preview, const char *method,
                                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void gl_venue_step_header(struct gl_venue_step *step, const char *name, const char *value);
void gl_venue_step_body(struct gl_venue_step *step, const char *bytes, size_t length);
/* Compact JSON as body (`body` is taken) with its Content-Type. */
void gl_venue_step_json(struct gl_venue_step *step, const char *content_type, json_t *body);
/* The text of a draft in Markdown or plain: its fields as headings and values, else the text;
 * cut to `most` bytes at a character, saying so in the text and in *note (GL_VENUE_NOTE). */
void gl_venue_text(const struct gl_venue_draft *draft, bool is_plain, size_t most, char *note,
                   struct gl_str *out);
/* Append at most `most` bytes of `text`, whole characters, and if it was cut a line that says so;
 * true when it was cut. */
bool gl_venue_cut(const char *text, size_t most, struct gl_str *out);
/* Add a sentence to a note. */
void gl_venue_note(char note[GL_VENUE_NOTE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Words of a search: letters, digits, spaces and - . only, at most 120 bytes. */
void gl_venue_words(const char *text, struct gl_str *out);
/* Is `text` an address of one mailbox (RFC 5321 section 4.1.2 without quotes and comments)? */
bool gl_venue_is_mailbox(const char *text);

/* ---- exchanges ---- */

/* Authorize and send one call, once. 0 and call->reply for 2xx and 304; else -1, and
 * venue->answer says what it means. */
int gl_venue_exchange(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err);
/* The answer as JSON: NULL with BAD_REPLY (or OUTCOME of a create), a web page is PERSON. */
json_t *gl_venue_reply_json(struct gl_venue *venue, const struct gl_remote_call *call,
                            struct gl_error *err);
/* The header of RFC 7617; `suffix` follows the user's name. */
void gl_venue_basic(struct gl_remote_call *call, const char *user, const char *suffix,
                    const char *password);
/* GET and its JSON. `call` is filled here and done by the caller. */
json_t *gl_venue_get_json(struct gl_venue *venue, struct gl_remote_call *call,
                          struct gl_error *err);
/* GET a request and what became of it, only when it changed since `etag` (NULL = in any case). */
int gl_venue_get_status(struct gl_venue *venue, struct gl_remote_call *call, const char *etag,
                        struct gl_venue_status *out, struct gl_error *err);
/* Add the secret `token` behind `prefix` as that header: writing needs it, reading does not. */
int gl_venue_add_token(struct gl_venue *venue, struct gl_remote_call *call, const char *header,
                       const char *prefix, struct gl_error *err);
/* What an answer means: rules, then status and headers. Pure. */
enum gl_venue_answer gl_venue_judge(const struct gl_venue_rule *rules,
                                    const struct gl_http_reply *reply);
/* Tokens that are fetched: ask() and read() as token_ask and token_read of remote.h. */
struct gl_venue_tokens {
    int (*ask)(void *credential, const struct gl_world *world, struct gl_remote_call *out,
               struct gl_error *err);
    int (*read)(void *credential, const struct gl_world *world, const struct gl_remote_call *call,
                struct gl_error *err);
};
int gl_venue_fetch_token(struct gl_venue *venue, const struct gl_venue_tokens *tokens,
                         void *credential, struct gl_error *err);

/* From when on lists are looked through for what was sent: a day before the draft, for clocks that
 * differ. */
struct gl_instant gl_venue_since(const struct gl_venue_preview *preview);

/* ---- reading ---- */

/* Foreign text into a small buffer, printable, cut at a character. */
void gl_venue_show(const char *text, char *out, size_t size);
/* A string member, "" when it is absent, null or of another type; borrowed. A key "a/b" is the
 * member b of a, here and below; NULL is absent. */
const char *gl_venue_member(const json_t *object, const char *key);
/* A whole number of at least 0, -1 when it is absent or none. */
int64_t gl_venue_number(const json_t *object, const char *key);
/* An RFC 3339 time; .unix_s 0 when absent. */
struct gl_instant gl_venue_time(const json_t *object, const char *key);
/* An address of the venue into `out`; "" unless it is https or this machine and of visible ASCII.
 */
void gl_venue_link(const char *url, char *out, size_t size);
/* Is the tag in that text, in brackets? */
bool gl_venue_has_tag(const char *text, const char *tag);

#endif

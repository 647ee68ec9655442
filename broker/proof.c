/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/proof.h"

#include <string.h>

#include "base/json.h"

/* Which member of "instance" each member of the proof must be equal to. */
static const struct {
    const char *proof, *instance;
} equals[] = {{"provider", "cloud"}, {"region", "region"}, {"instance", "id"}};

/* Adapters with regions name an instance "PLACE/ID"; its cloud knows the ID. */
static const char *id_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? slash + 1 : name;
}

static bool is_equal(size_t row, const char *said, const char *known)
{
    if (strcmp(equals[row].proof, "instance") == 0)
        known = id_of(known);
    return strcmp(said, known) == 0;
}

/* The first member that does not fit "instance"; NULL when all do. */
static const char *contradiction(const json_t *proof, const json_t *instance)
{
    for (size_t i = 0; i < sizeof equals / sizeof equals[0]; i++) {
        const char *said = json_string_value(json_object_get(proof, equals[i].proof));
        const char *known = json_string_value(json_object_get(instance, equals[i].instance));

        if (said != NULL && (known == NULL || !is_equal(i, said, known)))
            return equals[i].proof;
    }
    return NULL;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(object, key, json_string(text));
}

static json_t *proof_json(const struct gl_identity *identity, struct gl_instant verified)
{
    char hex[GL_HASH_HEX];
    json_t *proof =
        json_pack("{s:s,s:s,s:s,s:I}", "grade", gl_identity_grade_text(identity->grade), "provider",
                  identity->provider, "document_sha256", gl_hash_hex(&identity->document, hex),
                  "verified_s", (json_int_t)verified.unix_s);

    set_text(proof, "region", identity->region);
    set_text(proof, "availability_zone", identity->zone);
    set_text(proof, "instance", identity->instance);
    return proof;
}

int gl_proof_record(struct gl_ledger *ledger, const struct gl_launch_row *row,
                    const struct gl_identity *identity, struct gl_instant verified,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *proof = proof_json(identity, verified);
    GL_AUTO(gl_auto_json)
    json_t *instance =
        json_pack("{s:s,s:s,s:s}", "cloud", row->cloud, "region", row->region, "id", row->instance);
    const char *member = contradiction(proof, instance);

    if (member != NULL) {
        json_object_set_new(proof, "contradicts", json_string(member));
        json_object_set_new(proof, "grade", json_string(gl_identity_grade_text(GL_IDENTITY_D)));
    }
    return gl_ledger_append(ledger, "identity", row->launch, proof, NULL, err);
}

void gl_proof_take(json_t *instance, const json_t *body)
{
    const json_t *before = json_object_get(instance, "identity");

    if (json_object_get(before, "contradicts") != NULL)
        return;
    if (json_object_get(body, "contradicts") != NULL || contradiction(body, instance) == NULL)
        json_object_set_new(instance, "identity", json_deep_copy(body));
}

static int wrong(struct gl_error *err, const char *member, const char *rule)
{
    return gl_fail(err, GL_E_NOT_VERIFIED, "evidence.instance.identity.%s %s", member, rule);
}

static int check_members(const json_t *proof, struct gl_error *err)
{
    const char *grade = json_string_value(json_object_get(proof, "grade"));
    const char *hash = json_string_value(json_object_get(proof, "document_sha256"));
    struct gl_hash parsed;
    struct gl_error ignored = {0};

    if (grade == NULL || strlen(grade) != 1 || grade[0] < 'A' || grade[0] > 'D')
        return wrong(err, "grade", "is none of A to D");
    if (!json_is_string(json_object_get(proof, "provider")))
        return wrong(err, "provider", "is absent");
    if (!json_is_integer(json_object_get(proof, "verified_s")))
        return wrong(err, "verified_s", "is no time");
    if (hash == NULL || gl_hex_parse(hash, parsed.bytes, sizeof parsed.bytes, &ignored) != 0)
        return wrong(err, "document_sha256", "is no SHA-256");
    /* Where it runs is all that it is for; who it is ties it to this launch. */
    if (!json_is_string(json_object_get(proof, "instance")))
        return wrong(err, "instance", "is absent");
    return 0;
}

int gl_proof_check(const json_t *evidence, struct gl_error *err)
{
    const json_t *instance = json_object_get(evidence, "instance");
    const json_t *proof = json_object_get(instance, "identity");
    const json_t *said = json_object_get(proof, "contradicts");
    const char *member;

    if (proof == NULL)
        return 0;
    if (check_members(proof, err) != 0)
        return -1;
    member = contradiction(proof, instance);
    if (said == NULL && member != NULL)
        return wrong(err, member, "is not that of evidence.instance");
    if (said != NULL && strcmp(json_string_value(json_object_get(proof, "grade")), "D") != 0)
        return wrong(err, "grade", "is not D, though it contradicts the launch");
    return 0;
}

int gl_proof_stands(const json_t *evidence, struct gl_error *err)
{
    const json_t *instance = json_object_get(evidence, "instance");
    const json_t *said = json_object_get(json_object_get(instance, "identity"), "contradicts");
    const char *member = json_string_value(said);
    char shown[GL_TEXT_SHOWN];

    if (said == NULL)
        return 0;
    return gl_fail(err, GL_E_NOT_VERIFIED,
                   "the place is in doubt: what a cloud signed contradicts the launch (%s)",
                   gl_text_show(member != NULL ? member : "?", shown));
}

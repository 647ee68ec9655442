/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_oracle_access"

#include "base/jwt.h"
#include "providers/signal/oracle_config.h"
#include "tests/unit/providers/store_run.h"

#include <inttypes.h>
#include <sys/stat.h>

/* Who we are to Oracle, and what comes of a question: with the planted names, keys and pass phrases
 * found nowhere afterwards. */

#define HOME    FOLDER "/home"
#define CONFIG  HOME "/.oci/config"
#define KEYS    "tests/vectors/identity/"
#define TENANCY "ocid1.tenancy.oc1..planted4711"
#define USER    "ocid1.user.oc1..planted4711"
#define PRINT   "47:11:47:11:47:11:47:11:47:11:47:11:47:11:47:11"
#define WHO     "tenancy=" TENANCY "\nuser=" USER "\nfingerprint=" PRINT "\n"
#define GOOD    "[DEFAULT]\n" WHO "key_file=" KEYS "rsa.pem\n"
#define PHRASE  "correct-horse"

static void write_file(const char *path, const char *text)
{
    struct gl_error err = {0};

    if (gl_dir_make(HOME "/.oci", &err) != 0 ||
        gl_file_write(path, text, strlen(text), 0600, &err) != 0)
        fail_msg("%s", err.text);
}

/* The key of the tests, with something behind it. */
static void write_key(const char *behind)
{
    struct gl_error err = {0};
    struct gl_str text = {0};
    char *pem = NULL;
    size_t length;

    if (gl_file_read(KEYS "rsa.pem", 1 << 16, &pem, &length, &err) != 0)
        fail_msg("%s", err.text);
    gl_str_addf(&text, "%s%s", pem, behind);
    write_file(HOME "/key.pem", gl_str_text(&text));
    gl_str_done(&text);
    free(pem);
}

/* What no text may hold. */
static void assert_silent(const char *bytes, size_t length)
{
    static const char *const planted[] = {"planted4711", "47:11:47", PHRASE, "PRIVATE KEY", "eyJ"};

    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++)
        if (memmem(bytes, length, planted[i], strlen(planted[i])) != NULL)
            fail_msg("\"%s\" is in: %.*s", planted[i], (int)length, bytes);
}

/* ---- credentials ---- */

static int open_as(const struct gl_signal_config *config, const char *const *environment,
                   struct gl_signal_credential *out, struct gl_error *err)
{
    struct gl_world *world = gl_world_fixed_new(NOW * 1000, 1, environment);
    int rc = gl_oracle_open(config, world, out, err);

    gl_world_fixed_free(world);
    assert_silent(err->text, strlen(err->text));
    return rc;
}

static void close_credential(struct gl_signal_credential *credential)
{
    gl_secret_done(&credential->name);
    gl_secret_done(&credential->key);
    gl_secret_done(&credential->passphrase);
}

static void assert_name(const char *text, const char *const *environment, const char *name)
{
    static const struct gl_signal_config config = {.name = "oracle"};
    struct gl_signal_credential credential = {0};
    struct gl_error err = {0};

    if (text != NULL)
        write_file(CONFIG, text);
    if (open_as(&config, environment, &credential, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(gl_secret_equal(&credential.name, name, strlen(name)));
    assert_true(credential.key.length > 1000);
    close_credential(&credential);
}

static const char *const at_home[] = {"HOME=" HOME, NULL};

static void test_profiles(void **state)
{
    static const char *const green[] = {"HOME=" HOME, "OCI_CLI_PROFILE=GREEN", NULL};
    static const char *const other[] = {"HOME=" HOME, "OCI_CLI_USER=ocid1.user.other", NULL};

    (void)state;
    assert_name(GOOD, at_home, TENANCY "/" USER "/" PRINT);
    /* the rest comes from DEFAULT */
    assert_name(GOOD "[GREEN]\nuser = ocid1.user.green\nfingerprint=aa:bb\n", green,
                TENANCY "/ocid1.user.green/aa:bb");
    assert_name(GOOD, other, TENANCY "/ocid1.user.other/" PRINT);
}

/* Everything from the environment, and there is no file. */
static void test_environment_alone(void **state)
{
    static const char *const all[] = {"HOME=" FOLDER "/nobody",
                                      "OCI_CLI_TENANCY=" TENANCY,
                                      "OCI_CLI_USER=" USER,
                                      "OCI_CLI_FINGERPRINT=" PRINT,
                                      "OCI_CLI_KEY_FILE=" KEYS "rsa-locked.pem",
                                      "OCI_CLI_PASSPHRASE=" PHRASE,
                                      NULL};

    (void)state;
    assert_name(NULL, all, TENANCY "/" USER "/" PRINT);
}

static void test_a_file_that_is_named(void **state)
{
    static const char *const variable[] = {"HOME=" HOME, "OCI_CLI_CONFIG_FILE=" HOME "/two",
                                           "WHICH=B", NULL};
    const struct gl_signal_config config = {
        .name = "oracle", .key_file = HOME "/three", .user_env = "WHICH"};
    struct gl_signal_credential credential = {0};
    struct gl_error err = {0};

    (void)state;
    write_file(HOME "/two", "[DEFAULT]\n" WHO "key_file=~/key.pem\n");
    write_file(HOME "/three", GOOD "[B]\nuser=b\n");
    assert_int_equal(open_as(&config, variable, &credential, &err), 0);
    assert_true(
        gl_secret_equal(&credential.name, TENANCY "/b/" PRINT, strlen(TENANCY "/b/" PRINT)));
    close_credential(&credential);
    /* ~ is home, and what the console writes behind a key is no part of it */
    write_key("\nOCI_API_KEY\n");
    assert_name(NULL, variable, TENANCY "/" USER "/" PRINT);
}

/* ---- sessions ---- */

static void write_token(int64_t end_s)
{
    struct gl_str token = {0}, claims = {0};

    gl_str_addf(&claims, "{\"sub\":\"" USER "\",\"exp\":%" PRId64 "}", end_s);
    gl_str_add(&token, "eyJhbGciOiJSUzI1NiJ9.");
    gl_base64url_add(&token, gl_str_text(&claims), claims.length);
    gl_str_add(&token, ".c2lnbmVk\n");
    write_file(HOME "/token", gl_str_text(&token));
    gl_str_done(&claims);
    gl_str_done(&token);
}

#define SESSION "key_file=" KEYS "rsa.pem\nsecurity_token_file=" HOME "/token\n"

static void test_sessions(void **state)
{
    static const char *const green[] = {"HOME=" HOME, "OCI_CLI_PROFILE=GREEN", NULL};
    static const char *const by_key[] = {"HOME=" HOME, "OCI_CLI_PROFILE=GREEN",
                                         "OCI_CLI_AUTH=api_key", NULL};
    static const struct gl_signal_config config = {.name = "oracle"};
    struct gl_signal_credential credential = {0};
    struct gl_error err = {0};

    (void)state;
    write_token(NOW + 60);
    write_file(CONFIG, GOOD "[GREEN]\n" SESSION); /* by its own word, not by DEFAULT's user */
    assert_int_equal(open_as(&config, green, &credential, &err), 0);
    assert_memory_equal(credential.name.bytes, "ST$eyJhbGciOiJSUzI1NiJ9.", 24);
    assert_int_equal(credential.name.bytes[credential.name.length - 1], 'k');
    close_credential(&credential);
    assert_name(NULL, by_key, TENANCY "/" USER "/" PRINT);
    write_token(NOW);
    assert_int_equal(open_as(&config, green, &credential, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "ended at 2026-01-10T12:00:00Z; sign in again with: oci"));
}

/* ---- what is wrong with them ---- */

static const struct trouble {
    const char *text; /* of the configuration; NULL = there is none */
    const char *const environment[4];
    enum gl_errc code;
    const char *says;
} troubles[] = {
    {NULL, {0}, GL_E_NO_CREDENTIAL, "\"tenancy\" is not in ~/.oci/config and $OCI_CLI_TENANCY"},
    {"[DEFAULT]\ntenancy=t\n", {0}, GL_E_NO_CREDENTIAL, "oci setup config"},
    {GOOD, {"OCI_CLI_PROFILE=planted4711"}, GL_E_NO_CREDENTIAL, "lacks the profile"},
    {"[DEFAULT\n", {0}, GL_E_SYNTAX, "closing bracket"},
    {"[DEFAULT]\nuser=u\ntenancy=a\"b\nfingerprint=f\n", {0}, GL_E_CONFIG, "\"tenancy\" is no"},
    {"[DEFAULT]\n" WHO, {0}, GL_E_NO_CREDENTIAL, "$OCI_CLI_KEY_FILE is not set"},
    {"[DEFAULT]\n" WHO "key_file=" HOME "/none\n", {0}, GL_E_NO_CREDENTIAL, "is not there: "},
    {"[DEFAULT]\n" WHO "key_file=" HOME "\n", {0}, GL_E_NO_CREDENTIAL, "is not a regular file"},
    {"[DEFAULT]\n" WHO "key_file=" KEYS "rsa-locked.pem\n",
     {0},
     GL_E_NO_CREDENTIAL,
     "is encrypted: set OCI_CLI_PASSPHRASE"},
    {"[DEFAULT]\n" WHO "key_file=" KEYS "rsa-locked.pem\npass_phrase=planted4711\n",
     {0},
     GL_E_NO_CREDENTIAL,
     "cannot be read"},
    {"[DEFAULT]\n" WHO "key_file=" KEYS "rsa-public.pem\n", {0}, GL_E_NO_CREDENTIAL, "cannot be"},
    {"[DEFAULT]\n" WHO "key_file=" KEYS "rsa-1024.pem\n", {0}, GL_E_NO_CREDENTIAL, "2048"},
    {"[DEFAULT]\n" WHO "key_file=" KEYS "ec.pem\n", {0}, GL_E_NO_CREDENTIAL, "not RSA"},
    {GOOD, {"OCI_CLI_AUTH=instance_principal"}, GL_E_NO_CREDENTIAL, "not built in"},
    {GOOD, {"OCI_CLI_AUTH=security_token"}, GL_E_NO_CREDENTIAL, "no security_token_file"},
    {GOOD, {"OCI_CLI_SECURITY_TOKEN_FILE=" HOME "/no"}, GL_E_NO_CREDENTIAL, "session authenticate"},
    {GOOD, {"OCI_CLI_SECURITY_TOKEN_FILE=" KEYS "rsa.pem"}, GL_E_NO_CREDENTIAL, "holds no token"},
    {GOOD, {"OCI_CLI_KEY_CONTENT=planted4711"}, GL_E_NO_CREDENTIAL, "cannot be read"},
};

static void test_troubles(void **state)
{
    static const struct gl_signal_config config = {.name = "oracle"};

    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        const struct trouble *trouble = &troubles[i];
        const char *environment[8] = {"HOME=" HOME, trouble->environment[0],
                                      trouble->environment[1], NULL};
        struct gl_signal_credential credential = {0};
        struct gl_error err = {0};

        set_up(state);
        if (trouble->text != NULL)
            write_file(CONFIG, trouble->text);
        print_message("  %s\n", trouble->says);
        assert_int_equal(open_as(&config, environment, &credential, &err), -1);
        assert_string_equal(gl_errc_row(err.code)->symbol, gl_errc_row(trouble->code)->symbol);
        if (strstr(err.text, trouble->says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, trouble->says);
        assert_null(credential.name.bytes);
        assert_null(credential.key.bytes);
    }
}

static void test_files_that_others_may_write(void **state)
{
    static const struct gl_signal_config config = {.name = "oracle"};
    struct gl_signal_credential credential = {0};
    struct gl_error err = {0};

    (void)state;
    write_file(CONFIG, GOOD);
    assert_int_equal(chmod(CONFIG, 0666), 0);
    assert_int_equal(open_as(&config, at_home, &credential, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    assert_non_null(strstr(err.text, "chmod o-w"));
}

static void assert_look(const char *const *environment, bool is_there, const char *words)
{
    static const struct gl_signal_config config = {.name = "oracle"};
    struct gl_world *world = gl_world_fixed_new(NOW * 1000, 1, environment);
    struct gl_str text = {0};

    assert_int_equal(gl_oracle_look(&config, world, &text), is_there);
    assert_string_equal(gl_str_text(&text), words);
    gl_str_done(&text);
    gl_world_fixed_free(world);
}

static void test_look(void **state)
{
    static const char *const green[] = {"HOME=" HOME, "OCI_CLI_PROFILE=GREEN", NULL};
    static const char *const told[] = {"OCI_CLI_TENANCY=" TENANCY, NULL};

    (void)state;
    assert_look(at_home, false, "~/.oci/config is not there");
    assert_look(told, true, "$OCI_CLI_TENANCY found");
    write_file(CONFIG, GOOD);
    assert_look(at_home, true, "~/.oci/config found");
    assert_look(green, false, "~/.oci/config lacks the profile");
}

/* ---- questions ---- */

/* Plays Oracle: what it was asked, and one answer for all. */
struct oracle {
    struct gl_http http;
    int status;
    const char *body, *headers;
    unsigned asked;
    char url[512], date[64], name[512];
    bool carried;
};

static int answer(struct gl_http *http, const struct gl_http_request *request,
                  struct gl_http_reply *out, struct gl_error *err)
{
    struct oracle *oracle = (struct oracle *)http;
    const char *date = "", *name = "";

    (void)err;
    oracle->asked++;
    oracle->carried = request->carries_secret;
    has_header(request, "Date: ", &date);
    has_header(request, "Authorization: ", &name);
    snprintf(oracle->url, sizeof oracle->url, "%s", request->url);
    snprintf(oracle->date, sizeof oracle->date, "%s", date);
    snprintf(oracle->name, sizeof oracle->name, "%s", name);
    *out = (struct gl_http_reply){.status = oracle->status, .retry_after_s = -1};
    out->body = gl_strdup(oracle->body);
    out->body_length = strlen(oracle->body);
    out->header_text = oracle->headers != NULL ? gl_strdup(oracle->headers) : NULL;
    return 0;
}

static const struct gl_http_ops oracle_ops = {"oracle", answer, script_close};

/* One process that asks about a zone; the report of it, with the text of its error in *out_text. */
struct visit {
    struct oracle oracle;
    bool is_decision; /* asks as what decides does */
    size_t series;
    struct gl_series first; /* without its points */
    struct gl_point point;
    bool is_ok;
    enum gl_errc code;
    char text[sizeof((struct gl_error *)NULL)->text];
};

static void take_report(struct visit *visit, const struct gl_signal_store *store)
{
    size_t count;
    const struct gl_signal_report *reports = gl_signal_store_reports(store, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(reports[i].source, "oracle") == 0) {
            visit->is_ok = reports[i].is_ok;
            visit->code = reports[i].error.code;
            snprintf(visit->text, sizeof visit->text, "%s", reports[i].error.text);
        }
    assert_silent(visit->text, strlen(visit->text));
}

static void pay_visit(struct visit *visit, const char *zone)
{
    static const struct gl_signal_config config = {.name = "oracle"};
    struct gl_world *world = gl_world_fixed_new(NOW * 1000, 1, at_home);
    struct gl_signal_query query = {
        .from = {NOW}, .until = {NOW + HOUR}, .wants_claims = !visit->is_decision};
    struct gl_signal_store *store;
    const struct gl_zone_facts *facts;

    visit->oracle.http.ops = &oracle_ops;
    world->http = &visit->oracle.http;
    snprintf(query.zone, sizeof query.zone, "%s", zone);
    store =
        gl_signal_store_new(&(struct gl_signal_store_options){.world = world,
                                                              .cache_folder = CACHE,
                                                              .archive_folder = FOLDER "/archive",
                                                              .sources = &config,
                                                              .source_count = 1});
    facts = gl_signal_store_zone(store, &query);
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->series[i]->provider, "oracle") == 0 && visit->series++ == 0) {
            visit->first = *facts->series[i];
            visit->point = visit->first.points[0];
        }
    take_report(visit, store);
    gl_signal_store_free(store);
    gl_world_fixed_free(world);
}

#define ANSWER \
    "{\"region\":\"eu-frankfurt-1\",\"usage\":80,\"asked\":\"" TENANCY "/" USER "/" PRINT "\"}"

static void test_a_claim(void **state)
{
    struct visit visit = {.oracle = {.status = 200, .body = ANSWER}};

    (void)state;
    write_file(CONFIG, GOOD);
    pay_visit(&visit, "DE");
    assert_true(visit.is_ok);
    assert_int_equal(visit.oracle.asked, 1);
    assert_true(visit.oracle.carried);
    assert_string_equal(visit.oracle.date, "Date: Sat, 10 Jan 2026 12:00:00 GMT");
    assert_non_null(strstr(visit.oracle.name, "keyId=\"" TENANCY "/" USER "/" PRINT "\""));
    assert_null(strstr(visit.oracle.url, "4711"));
    assert_int_equal(visit.series, 1);
    assert_int_equal(visit.first.meaning.quantity, GL_CARBON_FREE_SHARE);
    assert_int_equal(visit.first.meaning.accounting, GL_MARKET);
    assert_int_equal(visit.point.evidence, GL_PROVIDER_CLAIM);
    assert_int_equal(gl_grade_of_evidence(visit.point.evidence), GL_GRADE_E);
    assert_int_equal(visit.point.value_u, 800000);
    assert_int_equal(visit.point.low_u, GL_UNKNOWN);
    assert_true(each_file(CACHE, assert_silent) > 0);
    assert_int_not_equal(access(FOLDER "/archive", F_OK), 0); /* no claim is history */
}

/* What decides asks without claims: Oracle is not asked, and a claim that is kept is not met. */
static void test_no_decision_meets_it(void **state)
{
    struct visit visit = {.oracle = {.status = 200, .body = ANSWER}};
    struct visit decision = {.oracle = {.status = 200, .body = ANSWER}, .is_decision = true};

    (void)state;
    write_file(CONFIG, GOOD);
    pay_visit(&visit, "DE");
    assert_int_equal(visit.series, 1);
    pay_visit(&decision, "DE");
    assert_int_equal(decision.oracle.asked, 0);
    assert_int_equal(decision.series, 0);
    assert_int_equal(decision.code, GL_OK);
}

#define AT(minutes) "date: Sat, 10 Jan 2026 12:" minutes ":00 GMT\n"

static void test_faults(void **state)
{
    static const struct {
        int status;
        const char *body, *headers;
        enum gl_errc code;
        const char *says;
    } cases[] = {
        {401, ANSWER, AT("05"), GL_E_NO_CREDENTIAL, "does not subscribe to the region"},
        {401, ANSWER, AT("06"), GL_E_NO_CREDENTIAL, "clock is 360 s behind"},
        {401, ANSWER, "date: Sat, 10 Jan 2026 11:50:00 GMT\n", GL_E_NO_CREDENTIAL,
         "clock is 600 s ahead of the service's, and at most 300 s are allowed; set the clock"},
        {404, ANSWER, AT("20"), GL_E_UNKNOWN_DATA, "read usage-report in tenancy"},
        {429, ANSWER, NULL, GL_E_RATE_LIMIT, "429"},
        {302, ANSWER, "location: https://evil.example/\n", GL_E_BAD_REPLY, "status 302"},
        {500, ANSWER, NULL, GL_E_PROVIDER, "500"},
        {200, "{\"region\":\"eu-frankfurt-1\",\"us", NULL, GL_E_BAD_REPLY, "Oracle Cloud"},
        {200, "<html>" TENANCY "</html>", "content-type: text/html\n", GL_E_BAD_REPLY, "Oracle"},
        {200, "", NULL, GL_E_BAD_REPLY, "Oracle Cloud"},
        {200, "{\"region\":\"" TENANCY "\",\"usage\":80}", NULL, GL_E_BAD_REPLY, "another region"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visit visit = {.oracle = {.status = cases[i].status,
                                         .body = cases[i].body,
                                         .headers = cases[i].headers}};

        set_up(state);
        write_file(CONFIG, GOOD);
        pay_visit(&visit, "DE");
        print_message("  %s\n", visit.text);
        assert_false(visit.is_ok);
        assert_int_equal(visit.series, 0);
        assert_string_equal(gl_errc_row(visit.code)->symbol, gl_errc_row(cases[i].code)->symbol);
        if (strstr(visit.text, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", visit.text, cases[i].says);
        assert_int_equal(each_file(CACHE, assert_silent), 0);
    }
}

/* A region that does not know us says nothing of the next; without a key nobody is asked. */
static void test_each_region_for_itself(void **state)
{
    struct visit visit = {.oracle = {.status = 401, .body = ANSWER}};
    struct visit keyless = {.oracle = {.status = 200, .body = ANSWER}};

    (void)state;
    write_file(CONFIG, GOOD);
    pay_visit(&visit, "FR");
    assert_int_equal(visit.oracle.asked, 2);
    write_file(CONFIG, "[DEFAULT]\n" WHO);
    pay_visit(&keyless, "FR");
    assert_int_equal(keyless.oracle.asked, 0);
    assert_int_equal(keyless.code, GL_E_NO_CREDENTIAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(test_profiles),
        TEST(test_environment_alone),
        TEST(test_a_file_that_is_named),
        TEST(test_sessions),
        TEST(test_troubles),
        TEST(test_files_that_others_may_write),
        TEST(test_look),
        TEST(test_a_claim),
        TEST(test_no_decision_meets_it),
        TEST(test_faults),
        TEST(test_each_region_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

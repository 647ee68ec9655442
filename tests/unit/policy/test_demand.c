/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/demand.h"
#include "tests/unit/policy/policy_text.h"

#define DAY_MS INT64_C(86400000)

static struct gl_error err;

static struct gl_demand a_signal(void)
{
    return (struct gl_demand){
        .kind = GL_DEMAND_REFUSE,
        .provider = "aws",
        .region = "eu-central-1",
        .family = "m5",
        .rule = "intensity<=100g/kWh;location;average;lifecycle;hourly;grade>=C;data-age<=10800s",
        .limit_u = 100000000,
        .found_u = 250000000,
        .key = GL_KEY_MAX_INTENSITY,
        .wanted_ms = 6 * 3600 * 1000,
        .grade = GL_GRADE_B,
        .lost_ms = GL_UNKNOWN,
        .extra_ug = GL_UNKNOWN,
        .at_ms = 20000 * DAY_MS,
        .launch_key = "0123456789ab",
    };
}

/* ---- families ---- */

static void types_have_the_family_their_provider_speaks_of(void **state)
{
    static const struct {
        const char *provider, *type, *family;
    } rows[] = {
        {"aws", "m5.large", "m5"},
        {"aws", "u-6tb1.112xlarge", "u-6tb1"},
        {"aws", "mac2-m2pro.metal", "mac2-m2pro"},
        {"gcp", "n2-standard-4", "n2"},
        {"gcp", "n2-custom-2-4096", "n2"},
        {"gcp", "custom-2-4096", "n1"},
        {"gcp", "a2-highgpu-1g", "a2"},
        {"azure", "Standard_D4s_v5", "Dsv5"},
        {"azure", "Standard_E4-2ds_v5", "Edsv5"},
        {"azure", "Standard_NC24ads_A100_v4", "NCadsA100v4"},
        {"azure", "Standard_B2ms", "Bms"},
        {"azure", "Basic_A0", "A"},
        {"ovh", "b2-7", "b2"},
        {"hetzner", "cpx11", "cpx"},
        {"scaleway", "DEV1-S", "DEV1"},
        {"digitalocean", "s-1vcpu-1gb", "s"},
        {"digitalocean", "so1_5-2vcpu-16gb", "so1_5"},
        {"oracle", "VM.Standard.E4.Flex", "VM.Standard.E4"},
        {"oracle", "VM.Standard2.1", "VM.Standard2"},
        {"alibaba", "ecs.g7.large", "g7"},
        /* What is no such name tells nothing. */
        {"aws", "m5", ""},
        {"aws", "123456789012.large", ""},
        {"aws", "db01.example.org", "db01"},
        {"aws", "so cheap.large", ""},
        {"azure", "acme-prod", ""},
        {"azure", "Standard_D", ""},
        {"hetzner", "cx22-acme", ""},
        {"alibaba", "acme.g7.large", ""},
        {"openstack", "acme.large", ""},
        {"kubernetes", "node-of-bob", ""},
        {"local", "small", ""},
        {"acme", "m5.large", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char family[GL_DEMAND_NAME] = "before";

        gl_demand_family(rows[i].provider, rows[i].type, family);
        assert_string_equal(family, rows[i].family);
    }
}

/* ---- rules ---- */

static void rule_is(const char *limits, const char *expected)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_policy *policy;
    char rule[GL_DEMAND_RULE];

    gl_str_addf(&text, "greenlaunch: 1\nrules:\n- id: acme-secret\n  description: of bob\n%s",
                limits);
    policy = parse_good(gl_str_text(&text));
    assert_int_equal(gl_demand_rule(&policy->rules[0], rule, &err), 0);
    assert_string_equal(rule, expected);
    gl_policy_free(policy);
}

static void the_same_rule_is_the_same_text(void **state)
{
    static const char normal[] = "intensity<=100g/kWh;renewable-share>=95.5%;location;average;"
                                 "lifecycle;hourly;grade>=C;data-age<=10800s";

    (void)state;
    rule_is("  require:\n    max_intensity: 100 g/kWh\n    min_renewable: 95.5%\n", normal);
    rule_is("  require:\n    min_renewable: 95.50%\n    max_intensity: 0.1 kg/kWh\n", normal);
    rule_is("  require:\n    max_data_age: 180min\n    min_grade: C\n    accounting: location\n"
            "    rate: average\n    boundary: lifecycle\n    biomass: true\n"
            "    min_renewable: 95.5%\n    max_intensity: 100 g/kWh\n",
            normal);
}

static void another_rule_is_another_text(void **state)
{
    (void)state;
    rule_is("  require:\n    min_renewable: 80%\n    min_grade: D\n    biomass: false\n"
            "    max_data_age: 1h\n",
            "renewable-share>=80%;location;without-biomass;grade>=D;data-age<=3600s");
    rule_is("  require:\n    green_below: 80 g/kWh\n    green_for: 4h\n    confidence: 95%\n",
            "green-intensity<=80g/kWh;green-for>=14400s;confidence>=95%;location;average;"
            "lifecycle;hourly;grade>=C;data-age<=10800s");
    rule_is("  require:\n    max_total: 2 kg\n    max_rate: 50.25 g/h\n",
            "emission-rate<=50.25g/h;emissions<=2000g;location;average;lifecycle;hourly;grade>=C;"
            "data-age<=10800s");
}

static void what_is_the_users_own_is_a_word(void **state)
{
    (void)state;
    rule_is("  require:\n    regions: [acme-dc, \"*bob*\"]\n    not_countries: [PL]\n"
            "    max_price: 0.4123 USD/h\n    max_vcpus: 16\n    max_count: 4\n",
            "places;size;price");
    rule_is("  match:\n    tag: {team: acme}\n  require:\n    max_price: 0.4123 USD/h\n"
            "    min_carbon_free: 90%\n",
            "carbon-free-share>=90%;location;hourly;grade>=C;data-age<=10800s;price");
}

/* ---- what may stand in a signal ---- */

#define PUT(member, value) snprintf(one.member, sizeof one.member, "%s", value)

static void a_good_signal_is_taken(void **state)
{
    static const char *const places[][3] = {
        {"aws", "us-gov-east-1", "u-6tb1"},
        {"gcp", "northamerica-northeast1", "n2"},
        {"azure", "australiacentral2", "D"},
        {"ovh", "EU-WEST-PAR", "b2"},
        {"hetzner", "fsn1", "cpx"},
        {"scaleway", "fr-par-2", "DEV1"},
        {"digitalocean", "ams3", "so1_5"},
        {"oracle", "eu-frankfurt-1", "VM.Standard.E4"},
        {"alibaba", "cn-wuhan-lr", "g7"},
        {"openstack", "", ""},
        {"kubernetes", "", ""},
        {"local", "", ""},
        {"private", "", ""},
        {"aws", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct gl_demand one = a_signal();

        PUT(provider, places[i][0]);
        PUT(region, places[i][1]);
        PUT(family, places[i][2]);
        if (gl_demand_check(&one, &err) != 0)
            fail_msg("%s %s %s: %s", places[i][0], places[i][1], places[i][2], err.text);
    }
}

/* Things of a user that must have no way in. */
static const char *const planted[] = {
    "123456789012",
    "db01.acme.example",
    "team=acme",
    "bob@acme.example",
    "10.20.30.40",
    "0.4123",
    "acme-prod-eu-central-1",
    "arn:aws:iam::123456789012:user/bob",
    "eu-central-1;bob",
    "eu-central-1\nbob",
    "../etc/passwd",
    "<script>alert(1)</script>",
    "\303\251u-central-1",
    " ",
};

static void refuses(struct gl_demand one, const char *member, const char *text)
{
    if (gl_demand_check(&one, &err) == 0)
        fail_msg("%s of %s: \"%s\"", member, one.provider, text);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_non_null(strstr(err.text, member));
    assert_true(text[0] == ' ' || strstr(err.text, text) == NULL); /* never the text */
    gl_error_clear(&err);
}

static void what_names_somebody_is_refused(void **state)
{
    static const char *const providers[] = {
        "aws",          "gcp",     "azure",     "ovh",   "hetzner",    "scaleway", "oracle",
        "digitalocean", "alibaba", "openstack", "local", "kubernetes", "private"};

    (void)state;
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        struct gl_demand one = a_signal();

        PUT(provider, planted[i]);
        refuses(one, "provider", planted[i]);
        one = a_signal();
        PUT(rule, planted[i]);
        refuses(one, "rule", planted[i]);
        one = a_signal();
        snprintf(one.rule, sizeof one.rule, "%s;%s", a_signal().rule, planted[i]);
        refuses(one, "rule", planted[i]);
        one = a_signal();
        snprintf(one.launch_key, sizeof one.launch_key, "%.15s", planted[i]);
        if (strlen(planted[i]) != GL_DEMAND_KEY)
            refuses(one, "launch_key", planted[i]);
        one = a_signal();
        one.instead = GL_INSTEAD_MOVED;
        PUT(instead_region, planted[i]);
        refuses(one, "instead_region", planted[i]);
        snprintf(one.instead_region, sizeof one.instead_region, "aws/%s", planted[i]);
        refuses(one, "instead_region", planted[i]);
        for (size_t p = 0; p < sizeof providers / sizeof providers[0]; p++) {
            one = a_signal();
            PUT(provider, providers[p]);
            PUT(family, "");
            PUT(region, planted[i]);
            refuses(one, "region", planted[i]);
            PUT(region, "");
            PUT(family, planted[i]);
            refuses(one, "family", planted[i]);
        }
    }
}

static void a_name_of_the_right_shape_may_be_too_long(void **state)
{
    struct gl_demand one = a_signal();

    (void)state;
    PUT(region, "eu-central-1234");
    refuses(one, "region", "1234");
    PUT(region, "eu-centralcentralcentralcentral-1");
    refuses(one, "region", "centralc");
    PUT(region, "eu-central-1");
    PUT(family, "m5555555555555555555555555");
    refuses(one, "family", "5555");
}

static void a_private_cloud_has_no_names(void **state)
{
    struct gl_demand one = a_signal();

    (void)state;
    PUT(provider, "openstack");
    refuses(one, "region", "eu-central-1");
    PUT(region, "");
    refuses(one, "family", "m5");
}

static void numbers_out_of_reason_are_refused(void **state)
{
    (void)state;
#define REFUSES(member, value)                             \
    do {                                                   \
        struct gl_demand one = a_signal();                 \
        one.member = value;                                \
        assert_int_equal(gl_demand_check(&one, &err), -1); \
        gl_error_clear(&err);                              \
    } while (0)
    REFUSES(wanted_ms, -1);
    REFUSES(wanted_ms, GL_UNKNOWN);
    REFUSES(wanted_ms, INT64_MAX);
    REFUSES(gpu_ms, -1);
    REFUSES(lost_ms, -1);
    REFUSES(lost_ms, INT64_MAX);
    REFUSES(extra_ug, INT64_MAX);
    REFUSES(extra_ug, -INT64_MAX);
    REFUSES(at_ms, -1);
    REFUSES(at_ms, INT64_MAX);
    REFUSES(key, -1);
    REFUSES(key, GL_KEYS + 1);
    REFUSES(kind, GL_DEMAND_KINDS);
    REFUSES(capability, GL_CAPABILITIES);
    REFUSES(instead, GL_INSTEADS);
    REFUSES(grade, GL_GRADE_E + 1);
    /* A price, a place or a size has no number here, and a limit has a key. */
    REFUSES(key, GL_KEY_MAX_PRICE);
    REFUSES(key, GL_KEY_REGIONS);
    REFUSES(key, GL_KEY_MAX_COUNT);
    REFUSES(key, GL_KEYS);
#undef REFUSES
}

static void a_text_without_an_end_is_refused(void **state)
{
    struct gl_demand one = a_signal();

    (void)state;
    memset(one.rule, 'a', sizeof one.rule);
    refuses(one, "text", "aaaa");
}

/* ---- clusters ---- */

static void add(struct gl_clustering *clustering, struct gl_demand one)
{
    if (gl_clustering_add(clustering, &one, &err) != 0)
        fail_msg("%s", err.text);
}

static void signals_alike_are_one_cluster(void **state)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = a_signal();
    const struct gl_cluster *clusters;
    char fingerprint[GL_HASH_HEX];
    size_t count;

    (void)state;
    add(clustering, one);
    one.at_ms += 3600 * 1000; /* the same launch on the same day, another size */
    PUT(family, "c5");
    one.found_u = 300000000;
    add(clustering, one);
    one.at_ms += DAY_MS;
    PUT(launch_key, "0123456789ac");
    one.kind = GL_DEMAND_LATER;
    one.instead = GL_INSTEAD_WAITED;
    one.lost_ms = 5000;
    one.extra_ug = -70;
    one.gpu_ms = 11;
    one.grade = GL_GRADE_D;
    add(clustering, one);
    one.at_ms = a_signal().at_ms - DAY_MS;
    PUT(launch_key, "fff3456789ac");
    one.kind = GL_DEMAND_MOVE;
    one.lost_ms = 7000;
    one.extra_ug = 100;
    one.found_u = 150000000;
    add(clustering, one);
    clusters = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    gl_demand_fingerprint(&one, fingerprint);
    assert_string_equal(clusters->fingerprint, fingerprint);
    assert_int_equal(clusters->signals, 4);
    assert_int_equal(clusters->launches, 3);
    assert_int_equal(clusters->refused, 2); /* the moved one was not refused */
    assert_int_equal(clusters->days, 3);
    assert_int_equal(clusters->by_kind[GL_DEMAND_REFUSE], 2);
    assert_int_equal(clusters->by_kind[GL_DEMAND_LATER], 1);
    assert_int_equal(clusters->by_kind[GL_DEMAND_MOVE], 1);
    assert_int_equal(clusters->by_instead[GL_INSTEAD_WAITED], 2);
    assert_int_equal(clusters->wanted_ms, 4 * one.wanted_ms);
    assert_int_equal(clusters->gpu_ms, 22);
    assert_int_equal(clusters->lost_ms, 12000);
    assert_int_equal(clusters->median_lost_ms, 6000);
    assert_int_equal(clusters->extra_ug, 30);
    assert_int_equal(clusters->found_key, GL_KEY_MAX_INTENSITY);
    assert_int_equal(clusters->worst_found_u, 300000000);
    assert_int_equal(clusters->best_found_u, 150000000);
    assert_int_equal(clusters->worst_grade, GL_GRADE_D);
    assert_int_equal(clusters->from_ms, a_signal().at_ms - DAY_MS);
    assert_int_equal(clusters->until_ms, a_signal().at_ms + 3600 * 1000 + DAY_MS);
    assert_string_equal(clusters->first->launch_key, "fff3456789ac");
    gl_clustering_free(clustering);
}

static void nothing_known_stays_unknown(void **state)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = a_signal();
    const struct gl_cluster *clusters;
    size_t count;

    (void)state;
    clusters = gl_clustering_end(clustering, &count);
    assert_non_null(clusters);
    assert_int_equal(count, 0);
    one.key = GL_KEYS;
    one.limit_u = one.found_u = GL_UNKNOWN;
    add(clustering, one);
    clusters = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    assert_true(clusters->median_lost_ms == GL_UNKNOWN && clusters->worst_found_u == GL_UNKNOWN &&
                clusters->best_found_u == GL_UNKNOWN && clusters->found_key == GL_KEYS);
    assert_int_equal(clusters->lost_ms, 0);
    gl_clustering_free(clustering);
}

static void a_floor_is_worst_when_low(void **state)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = a_signal();
    const struct gl_cluster *clusters;
    size_t count;

    (void)state;
    one.key = GL_KEY_MIN_RENEWABLE;
    for (int64_t found_u = 300000; found_u <= 500000; found_u += 100000) {
        one.found_u = found_u;
        add(clustering, one);
    }
    clusters = gl_clustering_end(clustering, &count);
    assert_int_equal(clusters->worst_found_u, 300000);
    assert_int_equal(clusters->best_found_u, 500000);
    add(clustering, a_signal()); /* a limit with a lower key goes before it */
    clusters = gl_clustering_end(clustering, &count);
    assert_int_equal(clusters->found_key, GL_KEY_MAX_INTENSITY);
    assert_int_equal(clusters->worst_found_u, 250000000);
    gl_clustering_free(clustering);
}

static void what_differs_is_another_cluster(void **state)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = a_signal();
    const struct gl_cluster *clusters;
    size_t count;

    (void)state;
    add(clustering, one);
    PUT(launch_key, "00000000000a");
    PUT(region, "eu-west-1");
    add(clustering, one);
    PUT(launch_key, "00000000000b");
    add(clustering, one);
    PUT(rule, "intensity<=90g/kWh");
    add(clustering, one);
    one.capability = GL_CAPABILITY_HOURLY;
    add(clustering, one);
    PUT(provider, "alibaba");
    PUT(family, "g7");
    add(clustering, one);
    clusters = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 5);
    assert_int_equal(clusters[0].refused, 2);
    assert_string_equal(clusters[0].first->region, "eu-west-1");
    for (size_t i = 2; i < count; i++)
        assert_true(strcmp(clusters[i - 1].fingerprint, clusters[i].fingerprint) < 0);
    gl_clustering_free(clustering);
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = a_signal();
    const struct gl_cluster *clusters;
    size_t count, taken = 0;

    (void)state;
    one.wanted_ms = INT64_C(1000000000000000);
    while (taken < 20000 && gl_clustering_add(clustering, &one, &err) == 0)
        taken++;
    assert_int_equal(taken, INT64_MAX / one.wanted_ms);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    clusters = gl_clustering_end(clustering, &count);
    assert_int_equal(clusters->signals, taken);
    assert_int_equal(clusters->wanted_ms, (int64_t)taken * one.wanted_ms);
    gl_clustering_free(clustering);
}

/* Words with digits are no rules, so that many rules are made of numbers. */
static void too_many_kinds_are_refused(void **state)
{
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = a_signal();
    size_t count;

    (void)state;
    for (int i = 0; i < GL_CLUSTERS_MAX; i++) {
        snprintf(one.rule, sizeof one.rule, "intensity<=%dg/kWh", i);
        add(clustering, one);
    }
    snprintf(one.rule, sizeof one.rule, "intensity<=%dg/kWh", GL_CLUSTERS_MAX);
    assert_int_equal(gl_clustering_add(clustering, &one, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    add(clustering, (snprintf(one.rule, sizeof one.rule, "intensity<=7g/kWh"), one));
    gl_clustering_end(clustering, &count);
    assert_int_equal(count, GL_CLUSTERS_MAX);
    gl_clustering_free(clustering);
}

/* ---- thresholds and rounding ---- */

static void few_launches_are_not_due(void **state)
{
    static const struct {
        int64_t launches, days;
        struct gl_demand_threshold threshold;
        bool is_due;
    } rows[] = {
        {5, 3, {0, 0}, true},   {4, 3, {0, 0}, false},  {5, 2, {0, 0}, false},
        {9, 9, {10, 3}, false}, {10, 3, {10, 3}, true}, {2, 1, {1, 1}, true},
        {1, 1, {1, 1}, false}, /* never below two */
        {2, 1, {-7, -7}, true},
    };
    struct gl_demand one = a_signal();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_cluster cluster = {
            .first = &one, .launches = rows[i].launches, .days = rows[i].days};

        assert_int_equal(gl_cluster_is_due(&cluster, &rows[i].threshold), rows[i].is_due);
        cluster.first = NULL;
        assert_int_equal(gl_cluster_is_due(&cluster, &rows[i].threshold), rows[i].is_due);
        PUT(rule, "places;price");
        cluster.first = &one;
        assert_false(gl_cluster_is_due(&cluster, &rows[i].threshold));
        one = a_signal();
    }
    assert_true(gl_cluster_is_due(&(struct gl_cluster){.refused = 5, .days = 3}, NULL));
}

static void counts_are_rounded_in_steps(void **state)
{
    static const struct {
        int64_t count, low, high;
    } rows[] = {
        {0, 0, 0},
        {-4, 0, 0},
        {1, 1, 2},
        {2, 2, 5},
        {4, 2, 5},
        {5, 5, 10},
        {9, 5, 10},
        {10, 10, 20},
        {43, 20, 50},
        {50, 50, 100},
        {999, 500, 1000},
        {INT64_C(4999999999999999999), INT64_C(2000000000000000000), INT64_C(5000000000000000000)},
        {INT64_MAX, INT64_C(5000000000000000000), INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t low = 7, high = 7;

        gl_demand_round(rows[i].count, &low, &high);
        assert_true(low == rows[i].low && high == rows[i].high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_the_family_their_provider_speaks_of),
        cmocka_unit_test(the_same_rule_is_the_same_text),
        cmocka_unit_test(another_rule_is_another_text),
        cmocka_unit_test(what_is_the_users_own_is_a_word),
        cmocka_unit_test(a_good_signal_is_taken),
        cmocka_unit_test(what_names_somebody_is_refused),
        cmocka_unit_test(a_name_of_the_right_shape_may_be_too_long),
        cmocka_unit_test(a_private_cloud_has_no_names),
        cmocka_unit_test(numbers_out_of_reason_are_refused),
        cmocka_unit_test(a_text_without_an_end_is_refused),
        cmocka_unit_test(signals_alike_are_one_cluster),
        cmocka_unit_test(nothing_known_stays_unknown),
        cmocka_unit_test(a_floor_is_worst_when_low),
        cmocka_unit_test(what_differs_is_another_cluster),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
        cmocka_unit_test(too_many_kinds_are_refused),
        cmocka_unit_test(few_launches_are_not_due),
        cmocka_unit_test(counts_are_rounded_in_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Plans far larger than memory should be, streamed through a pipe and judged: what is not a machine
# takes no memory, however much of it there is. tests/integration/hook_large.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
. tests/support/checks.sh
scratch=$build/tmp/hook_large
rm -rf "$scratch"
mkdir -p "$scratch"/{home,work}
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
export PATH="$build:$PATH"
cp examples/policies/plans.yaml "$scratch/work/policy.yaml"
cd "$scratch/work" || exit 1
machines=500
peak_kib=0

# Machines at the beginning and at the end; between them objects with 10 kB of content each, in
# every part of a plan that repeats them.
plan() { # OBJECTS
    awk -v objects="$1" -v machines=$machines '
    function each(count, what,    i) {
        for (i = 0; i < count; i++)
            printf("%s" what, i > 0 ? "," : "", i, i)
    }
    BEGIN {
        content = sprintf("%5000s", ""); gsub(/ /, "\\u00e9", content)
        content = substr(content, 1, 4992)
        object = "{\"address\":\"aws_s3_object.page_%d\",\"mode\":\"managed\",\"type\":\"aws_s3_object\"," \
            "\"name\":\"page_%d\",\"provider_name\":\"registry.terraform.io/hashicorp/aws\","
        change = "\"change\":{\"actions\":[\"create\"],\"before\":null,\"after\":"
        values = "{\"bucket\":\"b\",\"content\":\"" content "\",\"tags\":{\"a\":\"b\"}}"
        machine = "{\"address\":\"aws_instance.web_%d\",\"mode\":\"managed\",\"type\":\"aws_instance\"," \
            "\"name\":\"web_%d\"," change "{\"instance_type\":\"m7g.large\",\"availability_zone\":" \
            "\"eu-north-1a\",\"user_data\":\"" content "\"},\"after_unknown\":{\"id\":true}}}"
        printf("{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.8\",\"planned_values\":" \
            "{\"root_module\":{\"resources\":[")
        each(objects / 4, object "\"values\":" values "}")
        printf("]}},\"resource_changes\":[")
        each(machines, machine)
        printf(",")
        each(objects / 4, object change values ",\"after_unknown\":{\"id\":true}}}")
        printf("],\"prior_state\":{\"values\":{\"root_module\":{\"resources\":[")
        each(objects / 4, object "\"values\":" values "}")
        printf("]}}},\"configuration\":{\"root_module\":{\"resources\":[")
        each(objects / 4, object "\"expressions\":{\"content\":{\"constant_value\":\"" content "\"}}}")
        printf("]}}}")
    }'
}

# Roles, with machines before them.
preview() { # OBJECTS
    awk -v objects="$1" -v machines="$machines" '
    function step(type, name, inputs,    urn) {
        urn = "urn:pulumi:dev::shop::" type "::" name
        printf("{\"op\":\"create\",\"urn\":\"%s\",\"newState\":{\"urn\":\"%s\",\"custom\":true," \
            "\"type\":\"%s\",\"inputs\":%s}},", urn, urn, type, inputs)
    }
    BEGIN {
        printf("{\"config\":{},\"steps\":[")
        for (i = 0; i < machines; i++)
            step("aws:ec2/instance:Instance", "web-" i,
                "{\"instanceType\":\"m7g.large\",\"availabilityZone\":\"eu-north-1a\"}")
        for (i = 0; i < objects; i++)
            step("aws:iam/role:Role", "role-" i, "{\"name\":\"r" i "\"}")
        step("aws:iam/role:Role", "last", "{}")
        printf("{\"op\":\"same\",\"urn\":\"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev\"}]}")
    }'
}

# The pipe is held open behind the plan, so that the most it took can be read while it waits.
judge() { # READER OBJECTS
    local pid rc tries before
    rm -f plan.pipe
    mkfifo plan.pipe
    greenlaunch hook "$1" - --policy policy.yaml --offline <plan.pipe >out 2>err &
    pid=$!
    exec 3>plan.pipe
    if [ "$1" = pulumi ]; then preview "$2"; else plan "$2"; fi | tee >(wc -c >bytes) >&3
    peak_kib=0
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        before=$peak_kib
        peak_kib=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
        [ "$tries" -gt 3 ] && [ "$before" = "$peak_kib" ] && break
        sleep 0.1
    done
    exec 3>&-
    wait "$pid"
    rc=$?
    [ $rc -eq 0 ] || sed 's/^/# /' err
    printf '# %s MB in a pipe, %s machines: at most %s KiB by then\n' \
        "$(awk '{ printf "%.1f", $1 / 1e6 }' bytes)" $machines "$peak_kib"
    [ $rc -eq 0 ] && grep -q "^ALLOWED: $machines launches" out
}

judge terraform 2000
check $? 'a plan of 10 MB is read and judged'
small=$peak_kib
judge terraform 20000
check $? 'and one of 100 MB'
case $build in */san*)
    judge pulumi 10000
    check $? 'a preview of Pulumi is read and judged'
    printf 'skip its memory: a sanitizer keeps what was freed\n'
    exit "$failed"
    ;;
esac
[ "$small" -gt 0 ] && [ "$peak_kib" -le $((small + 1024)) ]
check $? 'read in the same memory, within 1 MiB'
[ "$peak_kib" -le 12288 ]
check $? 'which is 12 MiB at most'
judge pulumi 100000
check $? 'a preview of Pulumi with 100,000 other resources is read and judged'
[ "$peak_kib" -le 12288 ]
check $? 'in 12 MiB at most'
exit "$failed"

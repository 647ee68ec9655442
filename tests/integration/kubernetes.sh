#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kubernetes with a real control plane: kube-apiserver, controllers, scheduler and etcd, and nodes
# that run pods as processes (small_kubelet.py): tests/integration/kubernetes.sh BUILD
# (make test-kubernetes). All of it runs in namespaces of its own and ends with the script.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
programs=${KUBERNETES_PROGRAMS:-$build/kubernetes}
scratch=$build/tmp/kubernetes

skip() { # REASON
    printf 'skip kubernetes: %s\n' "$1"
    exit 0
}

[ "${KUBERNETES_REAL:-}" = yes ] || skip 'it takes root, 5 GB and half an hour: make test-kubernetes'
[ "$(id -u)" = 0 ] || skip 'this needs root'
for program in python3 ip openssl unshare; do
    command -v "$program" >/dev/null || skip "$program is not installed"
done
if [ "${KUBERNETES_INSIDE:-}" != yes ]; then
    why=$(tools/kubernetes.sh "$programs") || skip "$why"
    KUBERNETES_INSIDE=yes exec unshare --mount --net --uts --ipc --pid --mount-proc --fork \
        --kill-child "$0" "$build"
fi

rm -rf "$scratch"
mkdir -p "$scratch/config/greenlaunch"
. tests/support/checks.sh
. tests/support/kubernetes_up.sh
cluster_up
check $? 'a control plane is up' || exit 1
kubelet north=eu-north-1/eu-north-1a/m5.large/1 west=eu-west-1/eu-west-1a/c5.large/1
until_it 60 admin wait --for=condition=Ready node/north node/west --timeout=1s
check $? 'two nodes are ready'
for space in green strict full; do admin create namespace "$space" >/dev/null; done
for space in green strict full; do
    until_it 30 admin get serviceaccount default -n "$space"
done

# ---- who may do what ----

export PATH=$build:$PATH HOME=$scratch XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
export KUBECONFIG=$scratch/kubeconfig GREENLAUNCH_METER=$build/greenlaunch-meter
state=$XDG_STATE_HOME/greenlaunch
with_config "$KUBECONFIG" planted-launcher-token green

configure() { # SETTING...: the cloud, with what is special this time
    cat >"$scratch/config/greenlaunch/config.yaml" <<END
greenlaunch_config: 1
meter: {path: $build/greenlaunch-meter}
clouds:
  kubernetes: {price: '0.01', schedule-wait: '6', grid-zone: 'eu-north-1=NO-NO2, eu-west-1=IE'$(printf ', %s' "$@")}
END
}
configure "namespace: green"
green=(--cloud kubernetes --renewable-only=90% --min-grade D --max-price 0.02USD/h -d 10min)

exits 4 'without any right the check fails' greenlaunch provider check kubernetes
said 'list' 'and names a right'
greenlaunch provider kubernetes iam-policy 2>/dev/null >"$scratch/roles.yaml"
for space in green strict full; do
    admin apply -n "$space" -f "$scratch/roles.yaml" >/dev/null &&
        admin create rolebinding launcher -n "$space" --role greenlaunch --user launcher >/dev/null
done
admin create clusterrolebinding launcher --clusterrole greenlaunch --user launcher >/dev/null
exits 0 'with the rights that are printed it passes' greenlaunch provider check kubernetes
exits 0 'the cluster is asked for its nodes' greenlaunch offers --refresh --cloud kubernetes
said 'eu-north-1' 'and tells their region'

# ---- lives ----

pods_started() {
    touch "$cluster/pods/started"
    wc -l <"$cluster/pods/started"
}

none_left() { # TEXT: no pod runs, no Job that was not over
    local alive
    alive=$(admin get pods -n green --no-headers 2>/dev/null | grep -cE 'Running|Pending')
    [ "$alive" -eq 0 ] || admin get pods,jobs -n green | sed 's/^/# /'
    [ "$alive" -eq 0 ]
    check $? "$1: no pod is left running"
}

# The policy has to choose the north by itself: the west is not renewable enough.
# shellcheck disable=SC2016 # for the pod
exits 9 'a command runs on a node of the green region, its status comes back' \
    greenlaunch run "${green[@]}" --cpus 1 -- sh -c 'echo "hello from $((6 * 7))"; sleep 4; exit 9'
said 'hello from 42' 'with what it printed'
said 'zone NO-NO2' 'in the zone of the north'
said 'signed reading' 'it was metered'
admin get pods -n green -o wide --no-headers | grep -q north
check $? 'the pod was on the node of that region'
[ "$(pods_started)" -eq 1 ]
check $? 'one pod was started'
id=$(basename "$(ls "$state"/receipts/*.json)" .json)
exits 0 'its receipt verifies' greenlaunch verify "$id"
none_left 'after a command'

exits 0 'one is launched' greenlaunch launch "${green[@]}" --cpus 1 --name long -- sleep 300
id=$(sed -n 's/^Started \(gl-[a-z0-9]*\) .*/\1/p' "$scratch/out")
exits 0 'its state is asked for' greenlaunch status "$id"
said 'running' 'it runs'
exits 3 'for another one there is no room in the north, and the west is not asked' \
    greenlaunch run "${green[@]}" --cpus 1 -- true
said 'Insufficient cpu' 'in the words of the scheduler'
exits 0 'the first one is stopped' greenlaunch stop "$id"
exits 0 'its receipt verifies' greenlaunch verify "$id"
said 'final|whole|11 of 11|hold' 'with its last reading'
none_left 'after a stop'
exits 0 'stopped again is fine' greenlaunch stop "$id"

# ---- what a cluster refuses ----

pods=$(pods_started)
admin create quota few -n full --hard=pods=0 >/dev/null
configure "namespace: full"
exits 3 'a quota refuses' greenlaunch run "${green[@]}" --cpus 1 -- true
said 'quota' 'and is named'
admin label namespace strict pod-security.kubernetes.io/enforce=restricted >/dev/null
configure "namespace: strict"
exits 4 'pod security refuses' greenlaunch run "${green[@]}" --cpus 1 -- true
said 'PodSecurity|restricted' 'and is named'
configure "namespace: strict" "pod-security: restricted"
exits 0 'what pod security wants can be configured' greenlaunch run "${green[@]}" --cpus 1 -- true
pods=$(pods_started)
admin apply -f - >/dev/null 2>&1 <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-tuesdays}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "false", message: "nothing runs on tuesdays"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-tuesdays}
spec:
  policyName: no-tuesdays
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: green}}}
END
configure "namespace: green"
sleep 3 # policies take effect a moment later
exits 4 'an admission policy refuses' greenlaunch run "${green[@]}" --cpus 1 -- true
said 'tuesdays' 'in its own words'
admin delete validatingadmissionpolicybinding no-tuesdays >/dev/null
sleep 3
[ "$(pods_started)" -eq "$pods" ]
check $? 'none of these started a pod'
admin apply -f - >/dev/null 2>&1 <<'END'
apiVersion: admissionregistration.k8s.io/v1beta1
kind: MutatingAdmissionPolicy
metadata: {name: go-west}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  failurePolicy: Fail
  reinvocationPolicy: Never
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: "remove", path: "/spec/affinity"},
         JSONPatch{op: "add", path: "/spec/nodeSelector", value: {"kubernetes.io/hostname": "west"}}]
---
apiVersion: admissionregistration.k8s.io/v1beta1
kind: MutatingAdmissionPolicyBinding
metadata: {name: go-west}
spec:
  policyName: go-west
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: green}}}
END
sleep 3
exits 5 'a pod that the cluster sends elsewhere is refused' greenlaunch run "${green[@]}" --cpus 1 -- sleep 60
said 'not held in eu-north-1' 'and told'
admin delete mutatingadmissionpolicybinding go-west >/dev/null 2>&1
sleep 3
none_left 'sent elsewhere'
waiting=$(admin get jobs -A -o jsonpath='{.items[?(@.status.active)].metadata.name}')
[ -z "$waiting" ]
check $? "nor left a Job that waits $waiting"

# ---- killed in the middle ----

for delay in 0.05 0.1 0.2 0.3 0.5 0.8 1.5; do
    pods=$(pods_started)
    greenlaunch launch "${green[@]}" --cpus 1 --name "killed-$delay" -- sleep 200 >/dev/null 2>&1 &
    launcher=$!
    sleep "$delay"
    kill -9 "$launcher" 2>/dev/null
    wait "$launcher" 2>/dev/null
    exits 0 "killed $delay s into a launch: what is left is found" greenlaunch status
    [ $(($(pods_started) - pods)) -le 1 ]
    check $? 'one pod at most was started'
    greenlaunch stop --all-mine >"$scratch/out" 2>"$scratch/err"
    none_left "killed $delay s into a launch"
done

# ---- a node that is gone ----

exits 0 'one more is launched' greenlaunch launch "${green[@]}" --cpus 1 --name orphaned -- sleep 300
touch "$cluster/pods/dead-north"
until_it 60 sh -c "! $programs/kubectl --kubeconfig $cluster/admin.conf wait --for=condition=Ready node/north --timeout=1s"
exits 0 'its node is silent: it can be asked for' greenlaunch status orphaned
greenlaunch stop orphaned >"$scratch/out" 2>"$scratch/err"
rm "$cluster/pods/dead-north"
until_it 60 admin wait --for=condition=Ready node/north --timeout=1s
greenlaunch stop --all-mine >"$scratch/out" 2>"$scratch/err"
until_it 90 sh -c "! $programs/kubectl --kubeconfig $cluster/admin.conf get pods -n green --no-headers | grep -qE 'Running|Pending|Terminating'"
none_left 'after its node came back'
exits 0 'the ledger holds' greenlaunch ledger check

! grep -rq planted-launcher-token "$state" "$scratch/out" "$scratch/err"
check $? 'the token is nowhere'
[ "$failed" -eq 0 ]

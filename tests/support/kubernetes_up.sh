# shellcheck shell=bash disable=SC2034,SC2154 # names that the script sets or uses
# SPDX-License-Identifier: Apache-2.0
# A control plane of Kubernetes in namespaces of its own, with small_kubelet.py for its nodes;
# sourced by tests/integration/kubernetes.sh, which sets $programs and $scratch. Afterwards admin()
# is kubectl with all rights, and $scratch/cluster holds logs and certificates.
cluster=$scratch/cluster
address=10.99.0.1 # of this namespace's loopback
server=https://127.0.0.1:6443

with_config() { # FILE TOKEN [NAMESPACE]
    cat >"$1" <<END
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: here, cluster: {server: "$server", certificate-authority: $cluster/apiserver.crt}}]
users: [{name: me, user: {token: $2}}]
contexts: [{name: here, context: {cluster: here, user: me, namespace: ${3:-default}}}]
END
    chmod 600 "$1"
}

admin() {
    "$programs/kubectl" --kubeconfig "$cluster/admin.conf" "$@"
}

until_it() { # SECONDS COMMAND...
    local tries=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.2
    done
}

begun() { # NAME WORD...: in the background, its words in a log
    local name=$1
    shift
    "$@" >"$cluster/$name.log" 2>&1 </dev/null &
}

kubelet() { # NODE=REGION/ZONE/TYPE/CPUS...
    begun kubelet python3 tests/support/small_kubelet.py "$server" "$cluster/apiserver.crt" \
        admin-token "$address" "$cluster/pods" "$cluster/apiserver" "$@"
}

cluster_up() {
    mkdir -p "$cluster/pods"
    ip link set lo up && ip address add "$address/32" dev lo || return 1
    openssl genrsa -out "$cluster/accounts.key" 2048 2>/dev/null
    cat >"$cluster/tokens" <<END
admin-token,admin,admin,system:masters
planted-launcher-token,launcher,launcher,
END
    with_config "$cluster/admin.conf" admin-token
    begun etcd "$programs/etcd" --data-dir "$cluster/etcd" --unsafe-no-fsync --log-level error
    begun kube-apiserver "$programs/kube-apiserver" --cert-dir "$cluster" --secure-port 6443 \
        --bind-address 127.0.0.1 --advertise-address "$address" --endpoint-reconciler-type none \
        --etcd-servers http://127.0.0.1:2379 --token-auth-file "$cluster/tokens" \
        --authorization-mode RBAC --service-cluster-ip-range 10.98.0.0/24 \
        --service-account-issuer "$server" --service-account-key-file "$cluster/accounts.key" \
        --service-account-signing-key-file "$cluster/accounts.key" \
        --runtime-config admissionregistration.k8s.io/v1beta1=true \
        --feature-gates MutatingAdmissionPolicy=true
    until_it 120 admin get --raw /readyz || return 1
    begun kube-controller-manager "$programs/kube-controller-manager" \
        --kubeconfig "$cluster/admin.conf" --leader-elect=false --cert-dir "$cluster" \
        --use-service-account-credentials=false --service-account-private-key-file \
        "$cluster/accounts.key" --root-ca-file "$cluster/apiserver.crt" \
        --node-monitor-grace-period 25s
    begun kube-scheduler "$programs/kube-scheduler" --kubeconfig "$cluster/admin.conf" \
        --leader-elect=false --cert-dir "$cluster"
}

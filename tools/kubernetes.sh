#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build the programs of a Kubernetes control plane into a folder, from the Go module proxy and the
# distribution: tools/kubernetes.sh INTO. Half an hour on two cores the first time; nothing is
# installed. Ends with 1, and says why, where that cannot be.
set -u
version=1.35.4
into=$1
programs=(kube-apiserver kube-controller-manager kube-scheduler kubectl)

cannot() { # REASON
    printf '%s\n' "$1"
    exit 1
}

[ -f "$into/whole-$version" ] && exit 0
command -v go >/dev/null || cannot 'go is not installed'
mkdir -p "$into/module" && cd "$into" || exit 1
# Its modules and what is built of them stay here, and go in the end.
export GOPATH=$PWD/go GOCACHE=$PWD/go-cache GOFLAGS=-modcacherw

# The modules that its go.mod replaces by folders of its own tree are published beside it.
printf 'module control.plane\n\ngo 1.25\n' >module/go.mod
{
    printf 'package plane\n\nimport (\n'
    for program in "${programs[@]}"; do
        case $program in
        kubectl) printf '\t_ "k8s.io/kubectl/pkg/cmd"\n' ;;
        *) printf '\t_ "k8s.io/kubernetes/cmd/%s/app"\n' "$program" ;;
        esac
    done
    printf ')\n'
} >module/plane.go
cd module || exit 1
its=$(go mod download -json "k8s.io/kubernetes@v$version" 2>../log | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')
[ -n "$its" ] || cannot "its modules cannot be had: $(tail -n 1 ../log)"
while read -r replaced; do
    go mod edit -replace "$replaced=$replaced@v0.${version#*.}"
done < <(sed -n 's/^\t\(k8s.io[^ ]*\) => .*/\1/p' "$its")
go mod edit -require "k8s.io/kubernetes@v$version"
go mod tidy >../log 2>&1 || cannot "its modules cannot be had: $(tail -n 1 ../log)"
go build -trimpath -ldflags='-s -w' -o .. "${programs[@]/#/k8s.io/kubernetes/cmd/}" >../log 2>&1 ||
    cannot "it cannot be built: $(tail -n 1 ../log)"

cd .. || exit 1
if [ ! -x etcd ]; then
    apt-get download -q etcd-server >log 2>&1 || cannot "etcd cannot be had: $(tail -n 1 log)"
    dpkg-deb --fsys-tarfile etcd-server_*.deb | tar -xO ./usr/bin/etcd >etcd.part
    chmod +x etcd.part && mv etcd.part etcd && rm -f etcd-server_*.deb
fi
rm -rf go go-cache module
touch "whole-$version"

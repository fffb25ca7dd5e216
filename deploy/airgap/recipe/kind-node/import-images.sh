#!/bin/sh
# Runs in a container of the node image that is being made: takes an archive of images on stdin into containerd, and gives
# each the name that Kubernetes knows it by.
# usage: import-images.sh [NAME-IN-ARCHIVE=NAME]...
set -eu

containerd >/tmp/containerd.log 2>&1 &
containerd=$!
tries=0
until ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ $tries -gt 120 ] || ! kill -0 $containerd 2>/dev/null; then
    cat /tmp/containerd.log >&2
    exit 1
  fi
  sleep 0.25
done

ctr --namespace=k8s.io images import --all-platforms --no-unpack -
for pair; do
  ctr --namespace=k8s.io images tag --force "${pair%%=*}" "${pair#*=}"
done
for pair; do
  ctr --namespace=k8s.io images ls --quiet | grep -qxF "${pair%%=*}" || continue # one image may have had several names
  ctr --namespace=k8s.io images rm "${pair%%=*}"
done

kill $containerd
wait $containerd || true
rm -rf /tmp/containerd.log /run/containerd

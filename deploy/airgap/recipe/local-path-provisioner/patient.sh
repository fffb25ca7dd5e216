#!/bin/sh
# Starts the provisioner again when it ends at once: it does so when the API server does not answer, which in a cluster's
# first seconds it does not, and the kubelet would wait 10 and then 20 seconds, and every volume of the cluster with it.
set -u
child=
trap '[ -z "$child" ] || kill "$child"; exit 143' TERM INT

tries=0
while [ $tries -lt 30 ]; do
  started=$(date +%s)
  /usr/local/libexec/local-path-provisioner "$@" &
  child=$!
  wait $child
  status=$?
  # One that has worked for a while ends for another reason, which is the kubelet's business.
  [ $status != 0 ] && [ $(($(date +%s) - started)) -lt 10 ] || exit $status
  tries=$((tries + 1))
  sleep 1
done
exit $status

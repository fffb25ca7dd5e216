#!/bin/sh
# Makes WORK/rootfs.tar, a small Debian, with debootstrap. It wants root, and a mount namespace of its own: what it mounts
# goes away with it, however it ends.
# usage: rootfs.sh SUITE MIRROR SECURITY-MIRROR KEYRING WORK
set -eu
umask 022
suite=$1 mirror=$2 security=$3 keyring=$4 work=$5
root=$work/root

# Without --force-check-gpg debootstrap takes whatever comes where it finds no keys.
debootstrap --variant=minbase --force-check-gpg --keyring="$keyring" --include=ca-certificates "$suite" "$root" "$mirror"
cat >"$root/etc/apt/sources.list" <<EOF
deb $mirror $suite main
deb $mirror $suite-updates main
deb $security $suite-security main
EOF
# What no container reads.
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man \
  "$root"/usr/share/locale "$root"/var/log/*.log "$root"/etc/hostname "$root"/etc/resolv.conf
tar -C "$root" -c . -f "$work/rootfs.tar"

#!/bin/bash
# First process of a VM of tests: arranges its file system, starts its SSH server, and reaps what is left without a parent.
#   boot.sh FOLDER IMAGES NODE CLI
# Its mounts, processes and network end with it. What is below FOLDER is the VM's disk and outlives a reboot.
set -eu
folder=$1 images=$2 node=$3 cli=$4
trap 'echo "The VM did not boot: line $LINENO" >&2' ERR

mount --make-rprivate /
mount --bind "$folder/opt" /opt
mount --bind "$node" /opt/bin/node
mount --bind "$cli" /opt/lib/devcontainers-cli
# Lines of `place below /opt, tab, what is there`.
printf 'images\t%s\n' "$images" | cat - "$folder/mounts" | while IFS=$'\t' read -r place source; do
  mkdir -p "/opt/$place"
  mount --bind "$source" "/opt/$place"
  mount -o remount,bind,ro "/opt/$place"
done
mount --bind "$folder/home" /home
for name in repos worktrees; do mount --bind "$folder/disk/$name" "/home/claude/$name"; done
mount --bind "$folder/root" /root
mount --bind "$folder/containers" /var/lib/containers
mkdir -p /etc/containers
mount --bind "$folder/etc/containers" /etc/containers
for name in passwd group shadow; do mount --bind "$folder/etc/$name" "/etc/$name"; done
mount -t tmpfs -o mode=755 csm-vm /run
mkdir -p /run/sshd /run/netns /run/lock
# Podman keeps its locks there: what is left of a VM must not use up those of others.
mount -t tmpfs -o mode=1777 csm-vm /dev/shm
# As with every boot of a real machine.
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
# After the others: the folder itself may be below them.
mount --bind "$folder/tmp" /tmp
mount --bind "$folder/var-tmp" /var/tmp
# All else is the machine that runs the tests.
mount -o remount,bind,ro /

ip link set lo up
hostname "$(cat /opt/ssh/hostname)"
echo booted
exec >/dev/null 2>&1 </dev/null
while :; do sleep 86400 & wait $! || :; done

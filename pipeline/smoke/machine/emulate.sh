#!/bin/sh
# Runs a command while this kernel starts the programs of another architecture by qemu, as $1, a file of binfmt.d, says. In a mount namespace
# of its own: what was not registered before is not registered after.
set -eu

rule=$1
shift
formats=/proc/sys/fs/binfmt_misc
name=$(cut -d: -f2 "$rule")
mount -t binfmt_misc binfmt_misc "$formats"
if [ ! -e "$formats/$name" ]; then
  trap 'echo -1 >"$formats/$name"' EXIT
  cat "$rule" >"$formats/register"
fi
"$@"

#!/bin/sh
# runc for Docker on a machine that may itself be a container: Docker below 23 gives a privileged container every capability
# that the kernel knows, and pods a lower OOM score than its own, whether this machine may do that or not. containerd asks.
set -eu

bundle=.
previous=
for argument; do
  [ "$previous" != --bundle ] || bundle=$argument
  previous=$argument
done

# chown,dac_override,...
allowed=,$(setpriv --dump | sed -n 's/^Capability bounding set: //p'),
case " $* " in *' create '*)
  # shellcheck disable=SC2013 # names have no spaces
  for capability in $(grep -o 'CAP_[A-Z_]*' "$bundle/config.json" | sort -u); do
    name=$(echo "${capability#CAP_}" | tr '[:upper:]' '[:lower:]')
    case $allowed in
      *",$name,"*) ;;
      *) sed -i -e "s/\"$capability\",//g" -e "s/,\{0,1\}\"$capability\"//g" "$bundle/config.json" ;;
    esac
  done
  case $allowed in
    *,sys_resource,*) ;;
    *) sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$bundle/config.json" ;;
  esac
esac
exec runc "$@"

# shellcheck shell=sh
# Sourced by scripts that download.

# Downloads are repeated: a proxy that stalls or answers 5xx once must not cost a build of many minutes.
retry() {
  for pause in 2 5 15 0; do
    "$@" && return 0
    [ "$pause" = 0 ] || { echo "retrying in ${pause} s: $*" >&2; sleep "$pause"; }
  done
  return 1
}

# Loads packages, which downloads every module that their build needs, so that only this is repeated. With FETCH_ONLY the modules are
# all that is wanted, for a build without network later.
load() {
  retry go list -deps "$@" >/dev/null
  [ -z "${FETCH_ONLY:-}" ] || exit 0
}

# shellcheck shell=sh
# Sourced: the ways to compress a program by UPX, which then unpacks itself into memory when it starts.
# shellcheck disable=SC2034 # the scripts that source it use them

packings='none upx upx-nrv'

# pack PACKING DIRECTORY  compresses every program in the directory. Links stay links.
pack() {
  case $1 in
  none) return ;;
  # Without --lzma the best level would take minutes a program and be larger.
  upx) set -- "$2" --best --lzma ;;
  # Unpacks faster than LZMA.
  upx-nrv) set -- "$2" -9 ;;
  esac
  directory=$1
  shift
  find "$directory" -type f -perm /111 -exec upx-ucl --quiet "$@" '{}' + >/dev/null
}

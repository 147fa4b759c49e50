#!/bin/sh
# Build kmod as one static program, and its links: modprobe for compressed modules too.
# Environment: GNU_TRIPLET, SRC (holds the unpacked kmod), OUT (file tree to write into).
set -eu
kmod=$SRC/kmod
version=$(sed -n "s/^  version : '\(.*\)',/\1/p" "$kmod/meson.build" | head -n 1)

# Compiled here, without configure, which refuses a static build. Every definition is one that configure would find for Linux.
mkdir -p "$OUT/usr/sbin"
cat >/config.h <<CONFIG
#define _GNU_SOURCE 1
#define PACKAGE "kmod"
#define VERSION "$version"
#define SYSCONFDIR "/etc"
#define DISTCONFDIR "/usr/lib"
#define MODULE_DIRECTORY "/lib/modules"
#define KMOD_FEATURES "+ZSTD +XZ +ZLIB -LIBCRYPTO"
#define ENABLE_LOGGING 1
#define ENABLE_DEBUG 0
#define ENABLE_ELFDBG 0
#define ENABLE_OPENSSL 0
#define ENABLE_ZSTD 1
#define ENABLE_ZSTD_DLOPEN 0
#define ENABLE_XZ 1
#define ENABLE_XZ_DLOPEN 0
#define ENABLE_ZLIB 1
#define ENABLE_ZLIB_DLOPEN 0
#define HAVE_FOPEN64 1
#define HAVE_OPEN64 1
#define HAVE_STAT64 1
#define HAVE_SECURE_GETENV 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
#define HAVE_DECL_BASENAME 1
#define HAVE_DECL___XSTAT 0
#define HAVE_NORETURN 1
#define HAVE_STATIC_ASSERT 1
#define HAVE___BUILTIN_CLZ 1
#define HAVE___BUILTIN_TYPES_COMPATIBLE_P 1
#define HAVE___BUILTIN_UADD_OVERFLOW 1
#define HAVE___BUILTIN_UADDL_OVERFLOW 1
#define HAVE___BUILTIN_UADDLL_OVERFLOW 1
#define HAVE___BUILTIN_UMUL_OVERFLOW 1
#define HAVE___BUILTIN_UMULL_OVERFLOW 1
#define HAVE___BUILTIN_UMULLL_OVERFLOW 1
CONFIG
"$GNU_TRIPLET-gcc" -std=gnu11 -Os -w -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
  -include /config.h -I"$kmod" -I"$kmod/libkmod" -static -s -Wl,--gc-sections \
  -o "$OUT/usr/sbin/kmod" "$kmod"/tools/*.c "$kmod"/libkmod/*.c "$kmod"/shared/*.c -lzstd -llzma -lz
for command in depmod insmod lsmod modinfo modprobe rmmod; do
  ln -s kmod "$OUT/usr/sbin/$command"
done

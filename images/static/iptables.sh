#!/bin/sh
# Build iptables (both backends, IPv4 and IPv6) and ebtables as one static program, xtables-multi, and its links.
# What is called iptables without a backend is xtables-chooser.
# Environment: GNU_TRIPLET, SRC (holds the unpacked iptables), OUT (file tree to write into).
# shellcheck disable=SC2046,SC2086 # lists of words are split
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -a "$SRC/iptables/." "$work"
cd "$work"

# glibc, not musl as for the others: libmnl.a and libnftnl.a come from Debian, built for glibc.
CC=$GNU_TRIPLET-gcc
CFLAGS='-Os -w -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables'
export PKG_CONFIG_LIBDIR="/usr/lib/$GNU_TRIPLET/pkgconfig"

# --build differs from --host in every case, so that configure never runs what it compiles.
# connlabel is the one extension that needs libnetfilter_conntrack.
./configure -q --build="$(uname -m)-builder-linux-gnu" --host="$GNU_TRIPLET" --prefix=/usr --disable-dependency-tracking \
  --disable-shared --enable-static --disable-connlabel CC="$CC" CFLAGS="$CFLAGS"

# Matches for mark and ports are written as iptables has them, and not translated for nft, because versions below 1.8.8 read the translation as no
# match at all: "drop what is marked" would be "drop everything" for whoever saves and restores the rules (kubernetes/kubernetes#112477).
sed -i '/^int add_match(/,/^}/{ /m->u.user.name, "\(udp\|tcp\|mark\)"/,+1d }' iptables/nft.c
if sed -n '/^int add_match(/,/^}/p' iptables/nft.c | grep -q 'add_nft_\(udp\|tcp\|mark\)'; then
  echo 'iptables translates matches elsewhere than in add_match: read iptables/nft.c' >&2
  exit 1
fi

nft='nft nft-arp nft-bridge nft-cache nft-chain nft-cmd nft-ipv4 nft-ipv6 nft-ruleparse nft-ruleparse-arp
  nft-ruleparse-bridge nft-ruleparse-ipv4 nft-ruleparse-ipv6 nft-shared xshared xtables xtables-arp xtables-eb
  xtables-eb-standalone xtables-restore xtables-save xtables-standalone xtables-translate'
legacy='ip6tables ip6tables-standalone iptables iptables-restore iptables-save iptables-standalone'
objects="iptables-main.o $(printf 'xtables_nft_multi-%s.o ' $nft)$(printf 'xtables_legacy_multi-%s.o ' $legacy)"

cp "$here/iptables-main.c" iptables/
make -s -j2 -C libxtables
make -s -j2 -C libiptc
make -s -j2 -C extensions libext.a libext4.a libext6.a libext_arpt.a libext_ebt.a
make -s -j2 -C iptables $objects

mkdir -p "$OUT/usr/sbin"
cd iptables
# -w: the linker warns that getservbyname and others want shared NSS modules; "files" and "dns" are in libc.a since glibc 2.34.
$CC -static -s -Wl,--gc-sections,-w -o "$OUT/usr/sbin/xtables-multi" $objects \
  -Wl,--start-group ../extensions/*.a ../libxtables/.libs/libxtables.a -Wl,--end-group \
  ../libiptc/.libs/libip4tc.a ../libiptc/.libs/libip6tc.a $(pkg-config --static --libs libnftnl libmnl) -lm

cd "$OUT/usr/sbin"
for suffix in '' -save -restore; do
  for command in iptables ip6tables; do
    ln -s xtables-multi "$command-nft$suffix"
    ln -s xtables-multi "$command-legacy$suffix"
  done
  ln -s xtables-multi "ebtables$suffix"
  ln -s xtables-multi "ebtables-nft$suffix"
done
install -D --mode=644 "$SRC/iptables/etc/ethertypes" "$OUT/etc/ethertypes"

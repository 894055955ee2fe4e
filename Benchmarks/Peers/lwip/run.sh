#!/bin/sh
# Builds lwIP's half of the benchmarks and runs it: one JSON object on standard output, everything else on standard
# error. Usage: run.sh [seconds per row, 1.5 unless told]
#
# lwIP comes as Debian's source package, built here with port/lwipopts.h; failing that, as the installed liblwip-dev;
# failing both, the output is {"lwip": null} and the exit code still 0. A benchmark that fails its own checks exits
# with another code.
#
#   PEER_CFLAGS    in place of "-O3 -flto"
#   LWIP_SOURCE    an unpacked lwIP to build in place of Debian's
#   LWIP_PREBUILT  1: only the installed library
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../../.." && pwd)/.build-lwip
compiler=${CC:-gcc}
command -v "$compiler" >/dev/null || compiler=cc
flags=${PEER_CFLAGS:--O3 -flto}
seconds=${1:-1.5}

say() { echo "lwip: $*" >&2; }

unpacked() {
  for folder in "$build"/source/lwip-*/; do
    if [ -f "${folder}src/core/tcp.c" ]; then
      echo "${folder%/}"
      return
    fi
  done
  return 1
}

# `apt-get source` with lists and a cache of its own, so that it needs neither root nor a line in the system's sources.
fetch() {
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  command -v apt-get >/dev/null && command -v dpkg-source >/dev/null && [ -f "$keyring" ] || return 1
  suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || suite=stable
  apt=$build/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$build/source"
  echo "deb-src [signed-by=$keyring] http://deb.debian.org/debian $suite main" >"$apt/sources.list"
  set -- -q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Retries=1 -o Acquire::http::Timeout=20
  apt-get "$@" update && (cd "$build/source" && apt-get "$@" source lwip)
}

from_source() {
  [ "${LWIP_PREBUILT:-0}" = 0 ] || return 1
  source=${LWIP_SOURCE:-}
  if [ -z "$source" ]; then
    unpacked >/dev/null || fetch >"$build/fetch.log" 2>&1 || { say "no sources (see .build-lwip/fetch.log)"; return 1; }
    source=$(unpacked) || return 1
  fi
  compile lwip-peer || return 1
  # The same stream by reference over a link that takes 60,000 bytes at once (more than lwIP's 16-bit pools hold in one
  # piece with 64 KB), with and without checksums.
  large="-DPEER_MTU=60000 -DPEER_WRITE_FLAGS=0 -DPEER_BATCH=61440"
  # shellcheck disable=SC2086
  compile lwip-peer-large-sum $large '-DPEER_ROW="tcp_64k_sum_gbps"' &&
    compile lwip-peer-large $large '-DPEER_ROW="tcp_64k_gbps"' -DPEER_CHECKSUMS=0
}

# Builds $1 with further flags.
compile() {
  name=$1
  shift
  # shellcheck disable=SC2086 # the flags are several words
  "$compiler" $flags "$@" -std=gnu11 -w -I"$here/port" -I"$source/src/include" -o "$build/$name" \
    "$here/main.c" "$here/link.c" "$source"/src/core/*.c "$source"/src/core/ipv4/*.c "$source/src/netif/ethernet.c" >&2
}

from_library() {
  # shellcheck disable=SC2086
  "$compiler" $flags -std=gnu11 -I/usr/include/lwip -o "$build/lwip-peer" "$here/main.c" "$here/link.c" -llwip \
    >"$build/prebuilt.log" 2>&1
}

mkdir -p "$build"
rm -f "$build/lwip-peer" "$build/lwip-peer-large" "$build/lwip-peer-large-sum"
if from_source; then
  say "built from source with $compiler $flags"
elif from_library; then
  say "linked with the installed library: small windows and untuned, so its figures are a lower bound"
else
  say "NOT MEASURED: neither Debian's source package nor liblwip-dev could be had"
  echo '{"lwip": null}'
  exit 0
fi
rows=$("$build/lwip-peer" "$seconds") || exit
for peer in large-sum large; do
  [ -x "$build/lwip-peer-$peer" ] || continue
  more=$("$build/lwip-peer-$peer" "$seconds") || exit
  rows="${rows%\}}, ${more#\{}"
done
echo "$rows"

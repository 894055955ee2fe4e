#!/bin/sh
# Builds ns-3's half of Benchmarks/lab and runs it: one JSON object on standard output, everything else on standard error.
# Usage: run.sh tcp|udp pairs access-rate access-delay-us rate delay-us queue-frames seconds datagram-rate
#
# ns-3 comes as Debian's libns3-dev, installed, or unpacked into .build-ns3/ without root; failing both, the output is
# {"ns3": null} and the exit code still 0. NS3_BUILD=1 builds and does not run; NS3_UNPACK=1 unpacks even what is installed.
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../../.." && pwd)/.build-ns3
compiler=${CXX:-g++}
flags=${PEER_CXXFLAGS:--O3 -DNDEBUG}
root=

say() { echo "ns3: $*" >&2; }

skip() {
  say "NOT MEASURED: $*"
  echo '{"ns3": null}'
  exit 0
}

# Debian's packages, and those that the loader asks for with them, unpacked beside the build: neither root nor a change to the
# system.
unpack() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  mkdir -p "$build/root" "$build/packages"
  (
    cd "$build/packages" || exit
    ls libns3-dev_*.deb || apt-get download libns3-dev libns3.37 libgsl27 libgslcblas0 libsqlite3-0
  ) >"$build/fetch.log" 2>&1 || return 1
  for package in "$build"/packages/*.deb; do dpkg-deb -x "$package" "$build/root" || return 1; done
}

libraries() { echo "$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || "$compiler" -dumpmachine)"; }

compile() {
  # shellcheck disable=SC2086 # the flags are several words
  "$compiler" $flags -std=c++17 -I"$root/usr/include" -o "$build/dumbbell" "$here/dumbbell.cc" \
    -L"$(libraries)" -Wl,--disable-new-dtags -Wl,-rpath,"$(libraries)" -Wl,--allow-shlib-undefined \
    -lns3-applications -lns3-point-to-point -lns3-internet -lns3-bridge -lns3-traffic-control -lns3-network \
    -lns3-core >&2
}

mkdir -p "$build"
if [ ! -x "$build/dumbbell" ] || [ "$here/dumbbell.cc" -nt "$build/dumbbell" ]; then
  command -v "$compiler" >/dev/null || skip "there is no $compiler"
  if [ "${NS3_UNPACK:-0}" = 1 ] || [ ! -f /usr/include/ns3/point-to-point-module.h ]; then
    unpack || skip "libns3-dev is not installed, and Debian's package cannot be had (see .build-ns3/fetch.log)"
    root=$build/root
  fi
  compile || { say "dumbbell.cc does not compile"; exit 1; }
fi
[ "${NS3_BUILD:-0}" = 1 ] || exec "$build/dumbbell" "$@"

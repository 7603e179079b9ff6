#!/bin/sh
# From a fresh clone to the demo or the tests, in one command; `--help` says more.
set -eu

usage() {
  cat <<'END'
usage: sh cmake/bootstrap.sh [--no-install] COMMAND

  demo          the denoising study of the digits that come with linnet; the report lands in demo/
  test          build and run every test with g++, then with clang++ and the sanitizers
  bench         build and run the benchmarks
  install-only  install the packages that all of these need, and stop
  check         say which of them are missing, and stop (install-only with --no-install)

  --no-install  never install: if a package is missing, list it and stop with status 1

Missing packages are installed with apt, dnf or brew, after they have been listed, with sudo where you are
not root. Who has everything needs only:  cmake --workflow --preset demo|test|bench
END
}

die() {
  printf 'bootstrap: %s\n' "$*" >&2
  exit 1
}

say() { printf '\n== %s\n' "$*"; }

install=yes
command=
for argument; do
  case $argument in
    --no-install) install=no ;;
    -h | --help) usage; exit 0 ;;
    -*) die "unknown option $argument (--help lists them)" ;;
    *) [ -z "$command" ] || die "one command, please: got $command and $argument"
       command=$argument ;;
  esac
done
case $command in
  demo | test | bench | install-only) ;;
  check) command=install-only install=no ;;
  '') usage >&2; exit 2 ;;
  *) die "unknown command $command (--help lists them)" ;;
esac

cd "$(dirname "$0")/.."
root=$(pwd)

# ---- What is needed, in each package manager's names. ----

wished_for_test=
if command -v apt-get >/dev/null 2>&1; then
  manager=apt
  for_demo='g++ make cmake ninja-build libeigen3-dev libpng-dev zlib1g-dev nlohmann-json3-dev libcli11-dev'
  for_test='doctest-dev clang libomp-dev libclang-rt-dev chromium'
  # For the tests of NEON, emulated; they are skipped without.
  [ "$(dpkg --print-architecture)" != amd64 ] || wished_for_test='g++-aarch64-linux-gnu qemu-user'
  for_bench='libbenchmark-dev'
elif command -v dnf >/dev/null 2>&1; then
  manager=dnf
  for_demo='gcc-c++ make cmake ninja-build eigen3-devel libpng-devel zlib-devel json-devel cli11-devel'
  for_test='doctest-devel clang libomp-devel compiler-rt chromium'
  for_bench='google-benchmark-devel'
elif command -v brew >/dev/null 2>&1; then
  manager=brew
  # The compiler and zlib are Xcode's command line tools'.
  for_demo='cmake ninja eigen libpng nlohmann-json cli11 libomp'
  for_test='doctest'
  for_bench='google-benchmark'
else
  manager=none
fi

is_installed() {
  case $manager in
    apt) dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed ;;
    # What provides the name: Fedora's zlib-devel, for one, is zlib-ng-compat-devel.
    dnf) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
    brew) brew list --versions "$1" >/dev/null 2>&1 ;;
  esac
}

# ---- Install what is missing. ----

if [ $manager = none ]; then
  [ $install = no ] || echo 'bootstrap: neither apt-get, dnf nor brew is here: nothing can be installed.' >&2
  cat >&2 <<'END'
bootstrap: the packages of this system cannot be checked. Needed are a C++20 compiler (g++ 12 or clang 14),
CMake 3.25, Ninja, Eigen 3.4, libpng, zlib, nlohmann/json and CLI11; for the tests doctest, for the benchmarks
Google Benchmark. With those:  cmake --workflow --preset demo|test|bench
END
  exit 1
fi

case $command in
  demo) wanted=$for_demo ;;
  test) wanted="$for_demo $for_test" ;;
  bench) wanted="$for_demo $for_bench" ;;
  install-only) wanted="$for_demo $for_test $for_bench" ;;
esac

missing=
for package in $wanted; do
  is_installed "$package" || missing="$missing $package"
done

sudo=
if [ $manager != brew ] && [ "$(id -u)" -ne 0 ]; then sudo='sudo '; fi
case $manager in
  # Without the recommended packages clang, for one, brings half as much.
  apt) install_command="${sudo}apt-get install -y --no-install-recommends$missing" ;;
  dnf) install_command="${sudo}dnf install -y$missing" ;;
  brew) install_command="brew install$missing" ;;
esac

if [ -z "$missing" ]; then
  say "All packages are here: $wanted"
else
  say "Missing packages:$missing"
  if [ $install = no ]; then
    printf 'To install them:\n\n    %s\n' "$install_command" >&2
    exit 1
  fi
  if [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; then
    die "you are not root and sudo is not here. As root:  ${install_command#sudo }"
  fi
  export DEBIAN_FRONTEND=noninteractive
  if [ $manager = apt ]; then
    # Should only some of the sources answer, what they have may do.
    ${sudo:+sudo} apt-get update || echo 'bootstrap: apt-get update failed; going on with the lists that are here' >&2
  fi
  say "$install_command"
  $install_command || die "the packages could not be installed; see above. The command was:  $install_command"
fi

wished=
if [ "$command" = test ] || [ "$command" = install-only ]; then
  for package in $wished_for_test; do
    is_installed "$package" || wished="$wished $package"
  done
fi
if [ -n "$wished" ] && [ $install = yes ]; then
  say "For some tests:$wished"
  # It must not cost anything that is there: the cross compiler and gcc-multilib exclude each other.
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  ${sudo:+sudo} apt-get install -y --no-install-recommends --no-remove $wished && wished=
fi
[ -z "$wished" ] || say "Without$wished the tests of NEON are skipped"

if [ $manager = brew ]; then
  command -v c++ >/dev/null 2>&1 || die 'no C++ compiler; get one with:  xcode-select --install'
  # Homebrew keeps libomp where CMake does not look by itself.
  OpenMP_ROOT=$(brew --prefix libomp)
  export OpenMP_ROOT
fi

# The presets need CMake 3.25: workflows came with it.
version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
if [ "${version% *}" -lt 3 ] || { [ "${version% *}" -eq 3 ] && [ "${version#* }" -lt 25 ]; }; then
  die "CMake 3.25 or newer is needed, here is $(cmake --version | sed -n 1p). Debian 12 and Ubuntu 23.04 have it;
elsewhere it comes from cmake.org or with 'pip install cmake'. Run this command again when it is first in PATH."
fi

# ---- Build and run. ----

workflow() {
  say "cmake --workflow --preset $1"
  cmake --workflow --preset "$1"
}

case $command in
  demo)
    workflow demo
    say "The demo's report: $root/demo/report.html"
    ;;
  bench)
    workflow bench
    ;;
  test)
    workflow test
    workflow test-sanitizers
    say 'All tests passed.'
    ;;
  install-only)
    say 'Everything is here.'
    ;;
esac

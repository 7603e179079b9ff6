#!/bin/sh
# Runs a statically linked program on a processor with AVX-512 that is emulated (Bochs' Skylake-X, one core, 100 to 300
# times as slow), for machines whose own has none:
#
#     apt-get install bochs bochsbios vgabios grub-pc-bin grub-common xorriso mtools cpio busybox-static
#     apt-get download "$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')"
#     dpkg -x linux-image-*.deb kernel
#     g++ -std=c++20 -O2 -static -fopenmp -I include -I tests tests/determinism/train_and_print.cpp -o train_and_print
#     tests/determinism/emulate_avx512.sh kernel/boot/vmlinuz-* ./train_and_print
#
# whose lines of avx512 must be those of avx2. Files that the program reads are named by the variable FILES, with
# absolute paths without spaces, where the program finds them too; LINNET_ISA is handed on. After LIMIT (3h) it is
# stopped. While it runs, Bochs shows its screen to whoever connects by VNC.
set -eu

fail() {
  echo "emulate_avx512.sh: $1" >&2
  exit "${2:-1}"
}
[ $# -ge 2 ] && [ -f "$1" ] && [ -x "$2" ] || fail "usage: emulate_avx512.sh KERNEL PROGRAM [ARGUMENT...]" 2
for tool in bochs-bin grub-mkrescue xorriso mcopy cpio busybox readelf timeout; do
  command -v "$tool" >/dev/null || fail "$tool is missing (see the first lines of this file)" 2
done
kernel=$1
program=$2
shift 2
for file in "$program" "$(command -v busybox)"; do
  if readelf -l "$file" | grep -q INTERP; then fail "$file is not linked statically" 2; fi
done

work=$(mktemp -d)
bochs=
finish() {
  [ -z "$bochs" ] || kill "$bochs" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The system: a kernel, busybox, the program.
mkdir -p "$work/root/bin" "$work/iso/boot/grub"
cp "$program" "$work/root/program"
cp "$(command -v busybox)" "$work/root/bin/busybox"
for file in ${FILES:-}; do
  case $file in /*) ;; *) fail "$file: expected an absolute path" 2 ;; esac
  mkdir -p "$work/root$(dirname "$file")"
  cp -rL "$file" "$work/root$file"
done
{
  [ -z "${LINNET_ISA:-}" ] || printf "export LINNET_ISA='%s'\n" "$LINNET_ISA"
  printf /program
  for argument in "$@"; do printf " '%s'" "$(printf %s "$argument" | sed "s/'/'\\\\''/g")"; done
  echo
} >"$work/root/run"
cat >"$work/root/init" <<'END'
#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys /dev /tmp
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
$b stty -F /dev/ttyS0 -onlcr
echo; echo "@processor $($b grep -m1 ^flags /proc/cpuinfo | $b tr ' ' '\n' | $b grep avx | $b tr '\n' ' ')"
echo "@begin"
$b sh /run
status=$?
echo; echo "@end $status"
$b sleep 2  # the serial line is slower than the machine
$b poweroff -f
END
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/iso/boot/initrd.gz"
cp "$kernel" "$work/iso/boot/vmlinuz"
# Bochs 2.7 tells a wrong size of the compacted state of AVX-512, for which the kernel would do without all of AVX.
cat >"$work/iso/boot/grub/grub.cfg" <<'END'
set timeout=0
menuentry linnet {
  linux /boot/vmlinuz console=ttyS0 loglevel=1 mitigations=off tsc=unstable clearcpuid=xsaves,xsavec
  initrd /boot/initrd.gz
}
END
grub-mkrescue -o "$work/system.iso" "$work/iso" >"$work/rescue.log" 2>&1 || {
  cat "$work/rescue.log" >&2
  fail "grub-mkrescue made no image"
}

cat >"$work/bochsrc" <<END
cpu: model=corei7_skylake_x, count=1, ips=50000000
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/system.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
log: $work/log
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy
speaker: enabled=0
clock: sync=none
END
echo c >"$work/commands"  # Debian's Bochs begins in its debugger: continue
timeout "${LIMIT:-3h}" bochs-bin -q -f "$work/bochsrc" -rc "$work/commands" </dev/null >"$work/bochs.out" 2>&1 &
bochs=$!
wait "$bochs" || true
bochs=

[ -f "$work/serial" ] || {
  tail -n 20 "$work/bochs.out" "$work/log" >&2
  fail "Bochs did not start"
}
sed -n '/^@processor /p; /^@begin/,/^@end/p' "$work/serial"
for flag in avx512f avx512dq avx512bw avx512vl; do
  grep -q "^@processor .*$flag " "$work/serial" || fail "the emulated system has no $flag"
done
status=$(sed -n 's/^@end \([0-9]*\).*/\1/p' "$work/serial" | tail -n 1)
[ -n "$status" ] || {
  tail -n 20 "$work/serial" >&2
  fail "the program did not come to its end"
}
exit "$status"

#!/usr/bin/env python3
"""Compares linnet with its peers: the same work, by turns, in one run.

    compare.py BIN [--rounds 7] [--seconds 0.4] [--only TEXT]

BIN is the folder with the workers (bin/peers of a build with -DLINNET_BUILD_PEERS=ON). What is not installed is left
out, and said to be: oneDNN (libdnnl-dev) and dlib (libdlib-dev) when the workers were built; PyTorch (python3-torch)
and ONNX Runtime (npm install --ignore-scripts onnxruntime-node, found through NODE_PATH) when they are asked.

Every round asks linnet, then the peer, then linnet, for the median time of a call, and compares the peer with the mean
of ours before and after. The table gives the median of the rounds' ratios and, as the spread, the smallest and the
largest: above 1, linnet is faster. Machines are noisy, ratios less so.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# What the table of docs/performance.md shows: (case, threads, peers, the goal of their ratio or None).
DIRECTIONS = ("forward", "by_data", "by_weights")


def cases():
    for size, channels, filters, batch in ((14, 16, 16, 128), (28, 16, 16, 64), (56, 64, 64, 16), (14, 256, 256, 16)):
        for direction in DIRECTIONS:
            for threads in (1, 2):
                yield f"conv {size} 3 {channels} {filters} {batch} {direction}", threads, ["oneDNN"], 0.95
    for size, channels, filters in ((28, 1, 16), (28, 16, 1)):
        for direction in DIRECTIONS:
            # oneDNN has a fast kernel for one input channel, but not by data.
            least = 0.95 if channels == 1 and direction != "by_data" else 8
            for threads in (1, 2):
                yield f"conv {size} 3 {channels} {filters} 128 {direction}", threads, ["oneDNN"], least
    for case in ("conv 28 3 3 8 128", "conv 14 5 32 64 64", "conv 28 1 128 128 32"):  # other kernels' work
        for direction in DIRECTIONS:
            yield f"{case} {direction}", 1, ["oneDNN"], None
    torch = ["PyTorch", "PyTorch channels_last"]
    yield "train denoiser 128", 1, torch, None
    yield "train denoiser 128", 2, torch, 4
    yield "predict denoiser 1", 1, ["ONNX Runtime", *torch], 3
    yield "predict denoiser 128", 2, ["ONNX Runtime", *torch], 3
    yield "train autoencoder 128", 2, ["PyTorch"], 3
    yield "train classifier 128", 2, [*torch, "dlib"], 2
    yield "train denoiser 128", 2, ["linnet, 1 thread"], 1.9
    yield "train denoiser 128", 2, ["linnet, -O3 -march=native"], 0.97
    yield "predict denoiser 128", 2, ["linnet, -O3 -march=native"], 0.97


class Workers:
    """Starts workers when they are first asked; one process for each peer and number of threads."""

    def __init__(self, folder):
        self.running = {}
        self.missing = {}
        self.files = tempfile.TemporaryDirectory()
        model = str(pathlib.Path(self.files.name) / "denoiser.onnx")
        self.model = model
        self.commands = {
            "linnet": [str(folder / "linnet_worker")],
            "linnet, 1 thread": [str(folder / "linnet_worker")],
            "linnet, -O3 -march=native": [str(folder / "linnet_native_worker")],
            "oneDNN": [str(folder / "onednn_worker")],
            "dlib": [str(folder / "dlib_worker")],
            "PyTorch": [sys.executable, str(HERE / "torch_worker.py"), "contiguous"],
            "PyTorch channels_last": [sys.executable, str(HERE / "torch_worker.py"), "channels_last"],
            "ONNX Runtime": ["node", str(HERE / "onnxruntime_worker.js"), model],
        }

    def start(self, peer, threads):
        if peer == "ONNX Runtime" and not os.path.exists(self.model):
            # What a user of PyTorch would do. Without PyTorch there is no model to run.
            export = subprocess.run([sys.executable, str(HERE / "torch_worker.py"), "onnx", self.model],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if export.returncode != 0:
                raise RuntimeError("PyTorch, which is to write the model for it, cannot")
        count = str(threads)
        # The C library gives large blocks back to the system at once. PyTorch, which takes new ones for every tensor,
        # would then spend most of its time in page faults, on virtual machines up to ten times the time of the work.
        # So all workers keep their memory.
        keep = str(2**25)  # the most that the C library takes
        # Where a core is lent to others for a moment, threads that wait for each other without pause wait for long:
        # PyTorch with OpenBLAS was 3 times as fast with this limit, linnet as fast or faster.
        environment = {"GOMP_SPINCOUNT": "20000", **os.environ, "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
                       "MALLOC_TOP_PAD_": keep, "MALLOC_MMAP_THRESHOLD_": keep, "MALLOC_TRIM_THRESHOLD_": keep}
        errors = open(pathlib.Path(self.files.name) / f"errors {peer} {threads}.txt", "w+", encoding="utf-8")
        worker = subprocess.Popen(self.commands[peer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                  text=True, env=environment)
        worker.errors = errors
        return worker

    def ask(self, peer, threads, case, seconds):
        """The median time of a call, or None."""
        if peer in self.missing:
            return None
        if peer == "linnet, 1 thread":
            threads = 1
        try:
            if (peer, threads) not in self.running:
                self.running[peer, threads] = self.start(peer, threads)
            worker = self.running[peer, threads]
            print(case, seconds, file=worker.stdin, flush=True)
            answer = worker.stdout.readline().strip()
            if not answer:
                worker.errors.seek(0)
                lines = worker.errors.read().strip().splitlines() or ["it ended"]
                raise RuntimeError(next((line for line in lines if "Error: " in line), lines[-1]).strip())
        except (OSError, RuntimeError) as error:
            if peer.startswith("linnet"):
                sys.exit(f"compare.py: {peer}: {error}")
            self.missing[peer] = error
            return None
        return None if answer == "-" else float(answer)


def compare(workers, case, threads, peer, rounds, seconds):
    """(our median time, theirs, the ratios of the rounds), or None."""
    if workers.ask(peer, threads, case, 0.05) is None:
        return None
    workers.ask("linnet", threads, case, 0.05)
    ours, theirs, ratios = [], [], []
    before = workers.ask("linnet", threads, case, seconds)
    for _ in range(rounds):
        other = workers.ask(peer, threads, case, seconds)
        if other is None:
            return None
        after = workers.ask("linnet", threads, case, seconds)
        ours.append((before + after) / 2)
        theirs.append(other)
        ratios.append(other / ours[-1])
        before = after
    return statistics.median(ours), statistics.median(theirs), ratios


def rate(case, seconds):
    """What a case does in so many seconds a call, in the unit that is usual for it."""
    words = case.split()
    if words[0] == "conv":
        size, kernel, channels, filters, batch = map(int, words[1:6])
        flop = 2 * batch * size * size * filters * channels * kernel * kernel
        return f"{flop / seconds / 1e9:.1f} GFLOP/s"
    batch = int(words[2])
    return f"{seconds * 1e6:.1f} us" if batch == 1 else f"{batch / seconds:,.0f} images/s"


def title(case):
    words = case.split()
    if words[0] == "conv":
        size, kernel, channels, filters, batch = words[1:6]
        return f"{kernel}x{kernel} {channels} to {filters} at {size}x{size}, {words[6].replace('_', ' ')}"
    return f"{words[0]} {words[1]}, batch {words[2]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each measurement")
    parser.add_argument("--only", default="", help="rows whose work or peer holds this text")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("--rounds and --seconds must be positive")
    if not (arguments.bin / "linnet_worker").exists():
        parser.error(f"{arguments.bin} has no linnet_worker: it is to be bin/peers of a build with LINNET_BUILD_PEERS")
    selected = [(case, threads, peer, least) for case, threads, peers, least in cases() for peer in peers
                if arguments.only.lower() in f"{title(case)}, {threads} {peer}".lower()]
    if not selected:
        parser.error(f'no row holds "{arguments.only}"')
    busy = os.getloadavg()[0]
    if busy > 0.5:
        print(f"compare.py: the machine is not idle (load {busy:.1f}): figures of two threads mean little",
              file=sys.stderr)
    workers = Workers(arguments.bin)
    print("| work | threads | linnet | peer | its rate | ratio | spread | goal |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for case, threads, peer, least in selected:
        result = compare(workers, case, threads, peer, arguments.rounds, arguments.seconds)
        if result is None:
            continue
        ours, theirs, ratios = result
        goal = "" if least is None else f"{least:g}" + ("" if statistics.median(ratios) >= least else ", missed")
        print(f"| {title(case)} | {threads} | {rate(case, ours)} | {peer} | {rate(case, theirs)} "
              f"| {statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} | {goal} |", flush=True)
    for peer, why in workers.missing.items():
        print(f"\nNot compared: {peer} ({why})")


main()

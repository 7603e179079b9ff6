#!/usr/bin/env python3
"""Compares two files of benchmark results: regressions.py BEFORE.json AFTER.json [--threshold 0.1] [--all]

The files are what a benchmark program writes with --benchmark_out=FILE --benchmark_out_format=json. Where it was run with
--benchmark_repetitions=N the medians count. Prints what became slower or faster by more than the threshold, slowest
first, and ends with status 1 if anything became slower or is gone. Kernels are compared by the share of the peak that they reach
(each run measures its own peak, so a machine that is slower as a whole shows no regression), whole networks by time.
"""

import argparse
import json
import statistics
import sys


def read(path):
    """{name: (what was measured, its value, whether more is better)}"""
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    values = {}
    for run in runs:
        if run.get("run_type", "iteration") != "iteration" or run.get("error_occurred"):
            continue
        if "of_peak" in run:
            values.setdefault(run["run_name"], ("share of peak", [], True))[1].append(run["of_peak"])
        else:
            values.setdefault(run["run_name"], (run["time_unit"], [], False))[1].append(run["real_time"])
    return {name: (unit, statistics.median(numbers), more) for name, (unit, numbers, more) in values.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--threshold", type=float, default=0.1, help="the change that counts (0.1: 10%%)")
    parser.add_argument("--all", action="store_true", help="print what did not change as well")
    arguments = parser.parse_args()
    before, after = read(arguments.before), read(arguments.after)
    rows = []
    for name, (unit, new, more) in after.items():
        if name in before and before[name][0] == unit:
            old = before[name][1]
            rows.append((new / old if more else old / new, name, unit, old, new))
    if not rows:
        sys.exit("the files have no measurement in common (aggregates alone are not enough)")
    rows.sort()
    slower = sum(speed < 1 - arguments.threshold for speed, *_ in rows)
    for speed, name, unit, old, new in rows:
        if arguments.all or abs(speed - 1) > arguments.threshold:
            print(f"{speed:6.2f} times as fast  {name}  ({old:.4g} -> {new:.4g}, {unit})")
    gone = sorted(set(before) - set(after))
    for name in gone:
        print(f"gone: {name}")
    print(f"{len(rows)} compared, {slower} slower by more than {arguments.threshold:.0%}, {len(gone)} gone")
    sys.exit(1 if slower or gone else 0)


main()

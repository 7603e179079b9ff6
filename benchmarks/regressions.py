#!/usr/bin/env python3
"""Compares results of benchmarks: regressions.py BEFORE.json[,...] AFTER.json[,...] [--threshold 0.1] [--all]

The files are what a benchmark program writes with --benchmark_out=FILE --benchmark_out_format=json; those of several
runs, separated by commas, count together. The medians of all repetitions (--benchmark_repetitions=N) count, and a
change is one only if the repetitions before and after do not overlap. A kernel that is chosen is compared twice: as
itself, and as the one that was chosen, whichever that was.
Prints what became slower or faster by more than the threshold, slowest first, with the range of the repetitions, and
ends with status 1 if anything became slower, allocates more memory or was not measured again, 2 if there is nothing to
compare or the instruction sets differ. Convolutions and products are compared by the share of the peak that they reach
(each run measures its own peak, so a machine that is slower as a whole shows no regression), everything else by time.
Measure on a machine that does nothing else, or in turns: those of one run follow each other at once, and say nothing
of what changes from minute to minute.
"""

import argparse
import json
import re
import statistics
import sys

CHOSEN = " (chosen)"


def fail(message):
    print(f"regressions.py: {message}", file=sys.stderr)
    sys.exit(2)


def read(paths):
    """read_file() of each of the paths, which are separated by commas, together."""
    first, *others = paths.split(",")
    instruction_set, values, allocated = read_file(first)
    for path in others:
        other_set, more_values, more_allocated = read_file(path)
        if other_set != instruction_set:
            fail(f"{path}: measured with {other_set}, {first} with {instruction_set}")
        for name in set(values) ^ set(more_values):
            fail(f"{name} is in one of {first} and {path} only: runs that count together measure the same")
        for name, (unit, measured, _) in more_values.items():
            if values[name][0] != unit:
                fail(f"{path}: {name} is in {unit}, in {first} in {values[name][0]}")
            values[name][1].extend(measured)
        for name, size in more_allocated.items():
            allocated[name] = max(allocated.get(name, 0), size)
    return instruction_set, values, allocated


def read_file(path):
    """The instruction set, {name: (what was measured, its values, whether more is better)}, {name: bytes allocated}."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
            runs, instruction_set = results["benchmarks"], results["context"].get("instruction_set")
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{path}: no results of a benchmark program ({error})")
    values, allocated = {}, {}
    for run in runs:
        if run.get("run_type", "iteration") != "iteration" or run.get("error_occurred"):
            continue
        # The kernel that linnet chooses counts as itself and, whichever it is, as the chosen one.
        names = [run["run_name"].replace(CHOSEN, "")]
        if CHOSEN in run["run_name"]:
            names.append(re.sub(r"[^/]*" + re.escape(CHOSEN), "the chosen kernel", run["run_name"]))
        for name in names:
            allocated[name] = max(allocated.get(name, 0), run.get("bytes", 0))
            if "%peak" in run:
                values.setdefault(name, ("% of peak", [], True))[1].append(run["%peak"])
            else:
                values.setdefault(name, (run["time_unit"], [], False))[1].append(run["real_time"])
    return instruction_set, values, allocated


def text(numbers):
    return f"{statistics.median(numbers):.4g} [{min(numbers):.4g} to {max(numbers):.4g}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--threshold", type=float, default=0.1, help="the change that counts (0.1: 10%%)")
    parser.add_argument("--all", action="store_true", help="print what did not change as well")
    arguments = parser.parse_args()
    (set_before, before, had), (set_after, after, has) = read(arguments.before), read(arguments.after)
    if set_before != set_after:
        fail(f"measured with {set_before} and with {set_after}: these cannot be compared")
    rows, fewest = [], sys.maxsize
    for name, (unit, new, more) in after.items():
        if name in before and before[name][0] == unit:
            old = before[name][1]
            fewest = min(fewest, len(old), len(new))
            ratio = statistics.median(new) / statistics.median(old)
            apart = min(new) > max(old) or max(new) < min(old)
            rows.append((ratio if more else 1 / ratio, apart, name, f"{text(old)} -> {text(new)} {unit}"))
    if not rows:
        fail("the files have no measurement in common (aggregates alone are not enough)")
    if fewest < 3:
        print(f"some were measured only {fewest} times before or after: too few to see noise", file=sys.stderr)
    slower = 0
    for speed, apart, name, figures in sorted(rows):
        changed = apart and abs(speed - 1) > arguments.threshold
        slower += changed and speed < 1
        if arguments.all or changed:
            print(f"{speed:6.2f} times as fast  {name}  ({figures})")
    most = 1 + arguments.threshold
    allocating = sorted(name for name in after if name in before and has[name] > had[name] * most)
    for name in allocating:
        print(f"allocates {has[name]:.0f} bytes an iteration now, {had[name]:.0f} before  {name}")
    missing = sorted(name for name in before if name not in after or after[name][0] != before[name][0])
    for names, when in ((missing, "before"), (sorted(set(after) - set(before)), "after")):
        if names:
            print(f"{len(names)} measured {when} only: {names[0]}" + (", ..." if len(names) > 1 else ""))
    print(f"{len(rows)} compared, {slower} slower by more than {arguments.threshold:.0%}")
    sys.exit(1 if slower or allocating or missing else 0)


main()

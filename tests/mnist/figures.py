#!/usr/bin/env python3
"""Whether runs on the full MNIST reach the figures that the programs are to reach.

    figures.py RUN [RUN ...]

A RUN is a folder of `denoise study --full`, `denoise study --epochs 10 --schedule constant`, `augment study`, or
`augment train --digit all`, with --data of the full MNIST. Prints every figure beside its bound; the status is 1 if one
is missed, 2 if there is none.
"""

import json
import pathlib
import sys

FULL_MNIST = {"train": 60000, "held_out": 10000}


def rate(counted):
    return counted["count"] / counted["of"]


def denoise(metrics):
    yield "classifier on clean digits, recognized", rate(metrics["classifier"]["recognized"]), ">=", 0.99
    bounds = {"best": (0.0990, 0.1240, 0.1500), "ten": (0.1035, 0.1315, 0.1590), "unet": (0.0915, 0.1115, 0.1300)}
    recognized = (0.95, 0.895, 0.785)
    for recipe in metrics["recipes"]:
        if recipe["output"] != "sigmoid" or recipe["parameters"] > 100_000:
            continue
        small = recipe["parameters"] == 7265
        ten = small and recipe["epochs"] == 10 and recipe["schedule"] == "constant"
        if not small and recipe["model"] != "unet":
            continue
        of = bounds["ten" if ten else "best" if small else "unet"]
        for noise, bound, least in zip((0.5, 0.7, 0.9), of, recognized):
            for level in recipe["levels"]:
                if abs(level["noise"] - noise) > 1e-9:
                    continue
                title = f"{recipe['title']}, noise {noise}"
                yield title + ", cross-entropy", level["bce"], "<=", bound
                if ten:
                    yield title + ", recognized", rate(level["recognized"]), ">=", least


def negative_elbo(model):
    return model["elbo"]["reconstruction"] + model["elbo"]["kl"]


def augment_study(metrics):
    real = {digit["digit"]: rate(digit["recognized"]) for digit in metrics["real"]}
    groups = {}
    for model in metrics["models"]:
        size = "all" if model["all"] else model["size"]
        groups.setdefault((model["digit"], size, model["recipe"]), []).append(model)
    mean = lambda values: sum(values) / len(values)
    for (digit, size, recipe), models in groups.items():
        title = f"digit {digit}, {size}, {recipe}"
        value = mean([negative_elbo(m) for m in models])
        if size == "all" and recipe == "plain" and digit in (2, 3, 8):
            yield title + ", -ELBO", value, "<=", {2: 163, 3: 149, 8: 155}[digit]
            share = mean([rate(m["prior"]["recognized"]) for m in models]) / real[digit]
            yield title + ", samples recognized of real ones' rate", share, ">=", 0.995
        if recipe == "improved" and (digit, size) in (bound := {(2, 10): 160, (8, 10): 172, (2, 100): 134, (8, 100): 137}):
            yield title + ", -ELBO", value, "<=", bound[(digit, size)]


def augment_train(metrics):
    config = metrics["config"]
    if config["digit"] != ["all"]:
        return
    value = metrics["elbo"]["reconstruction"] + metrics["elbo"]["kl"]
    if config["latent"] == 20 and config["epochs"] <= 10:
        yield "all digits, latent 20, -ELBO", value, "<=", 102.5
    if config["latent"] == 2 and config["epochs"] <= 30:
        yield "all digits, latent 2, -ELBO", value, "<=", 146.0


def figures_of(metrics):
    if {key: metrics["data"][key] for key in FULL_MNIST} != FULL_MNIST:
        return []
    if "sweep" in metrics:
        return denoise(metrics)
    return augment_study(metrics) if "real" in metrics else augment_train(metrics) if "elbo" in metrics else []


def main():
    if len(sys.argv) < 2:
        print(__doc__.strip())
        return 2
    found, missed = 0, 0
    for folder in sys.argv[1:]:
        metrics = json.loads((pathlib.Path(folder) / "metrics.json").read_text())
        for title, value, relation, bound in figures_of(metrics):
            reached = value <= bound if relation == "<=" else value >= bound
            found, missed = found + 1, missed + (not reached)
            print(f"{title:64} {value:10.4f} {relation} {bound:<8} {'reached' if reached else 'MISSED'}")
    if found == 0:
        print("no figure of a run on the full MNIST")
    return 2 if found == 0 else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

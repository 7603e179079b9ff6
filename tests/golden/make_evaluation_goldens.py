#!/usr/bin/python3
"""Golden values for include/linnet/evaluation, from libraries that are not ours.

    apt-get install python3-skimage python3-scipy && /usr/bin/python3 tests/golden/make_evaluation_goldens.py

writes evaluation.npz beside itself: pairs of images `a` and `b` {n, height, width, channels}, and for each pair `mse`,
`psnr` and `ssim` by scikit-image, `bce` by SciPy's xlogy, and the first two of `a` under filters by scipy.ndimage:
`box3`, `box5` and `gaussian` with the `deviations`; `probability` and its `entropy` by SciPy; `counts` {k, 2} of successes and trials,
and `wilson` {k, 2}, the bounds that solve (p - q)^2 = z^2 q (1 - q) / n for q, found by root finding; for diversity.hpp
`real` and `generated` samples, and by NumPy and SciPy their `pairwise` mean distance, `vendi` score (cosine kernel),
`density`, `coverage`, `nearest` {index, distance} and `frechet` distance; `images` and their `pairwise_ssim`; by SciPy
`normal` {p, quantile}, `student` {p, degrees of freedom, quantile}, `radius` {p, dimensions, root of the chi-squared
quantile}, `values` with `mean_interval` {confidence, low, high}, and `paired` {first only, second only, trials, low, high}.
"""

import pathlib

import numpy as np
from scipy import linalg, ndimage, optimize, special, stats
from scipy.spatial import distance
from skimage import metrics

rng = np.random.default_rng(20261125)
arrays = {"deviations": np.array([0.3, 0.85, 1.3, 4.2])}
for name, shape in {"grey": (6, 28, 28, 1), "color": (3, 13, 17, 3)}.items():
    a = rng.random(shape).astype(np.float32)
    a[0] = np.round(a[0])
    noise = rng.normal(size=shape) * np.linspace(0.02, 0.9, shape[0]).reshape(-1, 1, 1, 1)
    b = np.clip(a + noise, 0, 1).astype(np.float32)
    b[-1] = 0.25  # without any structure
    pairs = list(zip(a.astype(np.float64), b.astype(np.float64)))
    arrays[f"{name}/a"], arrays[f"{name}/b"] = a.astype(np.float64), b.astype(np.float64)
    arrays[f"{name}/mse"] = np.array([metrics.mean_squared_error(x, y) for x, y in pairs])
    arrays[f"{name}/psnr"] = np.array([metrics.peak_signal_noise_ratio(x, y, data_range=1) for x, y in pairs])
    arrays[f"{name}/ssim"] = np.array([
        metrics.structural_similarity(x, y, data_range=1, gaussian_weights=True, sigma=1.5,
                                      use_sample_covariance=False, channel_axis=2) for x, y in pairs])
    limited = np.clip(arrays[f"{name}/b"], 1e-7, 1 - 1e-7)
    bce = -special.xlogy(arrays[f"{name}/a"], limited) - special.xlog1py(1 - arrays[f"{name}/a"], -limited)
    arrays[f"{name}/bce"] = bce.mean(axis=(1, 2, 3))
    two = arrays[f"{name}/a"][:2]
    for size in (3, 5):
        arrays[f"{name}/box{size}"] = ndimage.uniform_filter(two, (0, size, size, 0), mode="nearest")
    for k, deviation in enumerate(arrays["deviations"]):
        arrays[f"{name}/gaussian{k}"] = ndimage.gaussian_filter(two, (0, deviation, deviation, 0), mode="nearest")

probability = np.concatenate([[0, 1], rng.random(50)]).astype(np.float32).astype(np.float64)
arrays["probability"] = probability
arrays["entropy"] = np.array([stats.bernoulli(p).entropy() for p in probability])

z = stats.norm.ppf(0.975)
counts = np.array([[0, 10], [1, 10], [5, 10], [10, 10], [9870, 10000], [9999, 10000], [1, 1], [263, 980]])
bounds = []
for successes, trials in counts:
    p = successes / trials
    f = lambda q: (p - q) ** 2 - z * z * q * (1 - q) / trials
    inside = 1e-9  # at p = 0 and p = 1 the other solution is p itself
    bounds.append([0 if successes == 0 else optimize.brentq(f, 0, p - inside, xtol=1e-15),
                   1 if successes == trials else optimize.brentq(f, p + inside, 1, xtol=1e-15)])
arrays["counts"], arrays["wilson"] = counts.astype(np.float64), np.array(bounds)

real = rng.normal(size=(60, 2, 3, 2)) * rng.uniform(0.2, 2, size=(2, 3, 2))
generated = np.concatenate([rng.normal(size=(40, 2, 3, 2)) * 0.4 + 0.3, real[:3], real[:3] + 0.01])
arrays["real"], arrays["generated"] = real, generated
a, b = real.reshape(len(real), -1), generated.reshape(len(generated), -1)
arrays["pairwise"] = np.array(distance.pdist(a).mean())
for name, x in {"vendi": a, "vendi_few": a[:7]}.items():  # more samples than elements, and fewer
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(x @ x.T / len(x))
    eigenvalues = eigenvalues[eigenvalues > 1e-14]
    arrays[name] = np.array(np.exp(-(eigenvalues * np.log(eigenvalues)).sum()))
radius = np.sort(distance.cdist(a, a), axis=1)[:, 5]  # the first is the sample itself
inside = distance.cdist(a, b) < radius[:, None]
arrays["density"], arrays["coverage"] = np.array(inside.sum() / (5 * len(b))), np.array(inside.any(axis=1).mean())
d = distance.cdist(b, a)
arrays["nearest"] = np.stack([d.argmin(axis=1), d.min(axis=1)], axis=1)
c_a, c_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
between = np.trace(c_a + c_b - 2 * linalg.sqrtm(c_a @ c_b).real)
arrays["frechet"] = np.array(((a.mean(0) - b.mean(0)) ** 2).sum() + between)
images = ndimage.gaussian_filter(rng.random((5, 14, 13, 1)), (0, 1, 1, 0))
arrays["images"] = images
arrays["pairwise_ssim"] = np.array(np.mean([
    metrics.structural_similarity(images[i], images[j], data_range=1, gaussian_weights=True, sigma=1.5,
                                  use_sample_covariance=False, channel_axis=2) for i in range(5) for j in range(i)]))

shares = np.array([1e-12, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999])
arrays["normal"] = np.stack([shares, stats.norm.ppf(shares)], axis=1)
# By the beta distribution's quantile: that of stats.t itself is off by up to 2e-9.
student = lambda p, d: np.sign(p - 0.5) * np.sqrt(d * (1 / special.betaincinv(d / 2, 0.5, 2 * min(p, 1 - p)) - 1))
arrays["student"] = np.array([[p, d, student(p, d)] for p in shares[1:] for d in (1, 2, 9, 30, 400)])
arrays["radius"] = np.array([[p, d, np.sqrt(stats.chi2.ppf(p, d))] for p in shares for d in (1, 2, 16, 1024)])
values = rng.normal(3, 2, size=10)
arrays["values"] = values
arrays["mean_interval"] = np.array([[c, *stats.t.interval(c, len(values) - 1, values.mean(), stats.sem(values))]
                                    for c in (0.5, 0.95, 0.999)])
paired = []
for first, second, trials in ((30, 10, 200), (0, 0, 50), (7, 7, 14), (5, 312, 10000)):
    difference = np.concatenate([np.ones(first), -np.ones(second), np.zeros(trials - first - second)])
    paired.append([first, second, trials,
                   *(difference.mean() + np.array([-z, z]) * difference.std() / np.sqrt(trials))])
arrays["paired"] = np.array(paired)
np.savez_compressed(pathlib.Path(__file__).parent / "evaluation.npz", **arrays)

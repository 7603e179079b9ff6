#!/usr/bin/python3
"""Golden values for include/linnet/data/distortion.hpp, by scipy.ndimage.map_coordinates and scipy.interpolate.BSpline.

    apt-get install python3-scipy && /usr/bin/python3 tests/golden/make_distortion_goldens.py

writes distortion.npz beside itself: for each case `image` {height, width, channels} of bytes, `matrix` {4}, `shift` {2}
and `controls` {2, 7, 7} in pixels (multiples of 2^-16, as the maps hold them), and the `distorted` image in [0, 1].
"""

import pathlib

import numpy as np
from scipy import interpolate, ndimage

rng = np.random.default_rng(20261127)
arrays = {}


def fixed(x):
    return np.round(np.asarray(x, dtype=np.float64) * 65536) / 65536


def displacement(controls, height, width):
    """A cubic B-spline over four intervals along each axis, at the centres of the pixels."""
    knots = np.arange(-3, 8)
    rows = interpolate.BSpline(knots, controls, 3)((np.arange(height) + 0.5) / height * 4)
    return interpolate.BSpline(knots, rows.T, 3)((np.arange(width) + 0.5) / width * 4).T


for case, (height, width, channels) in enumerate([(28, 28, 1), (13, 70, 3), (11, 20, 1)]):
    image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    angle = rng.uniform(-0.5, 0.5)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = fixed(turn @ np.array([[1, 0], [rng.uniform(-0.3, 0.3), 1]]) @ np.diag(rng.uniform(0.8, 1.2, 2)))
    shift = fixed(rng.uniform(-3, 3, 2))
    controls = fixed(rng.normal(size=(2, 7, 7)) * (0 if case == 2 else 1.5))
    centre = (np.array([height, width]) - 1) / 2
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
    at = np.einsum("ab,bij->aij", matrix, grid - centre[:, None, None]) + (centre + shift)[:, None, None]
    at += np.stack([displacement(c, height, width) for c in controls])
    distorted = [ndimage.map_coordinates(image[..., c] / 255, at, order=1, mode="grid-constant")
                 for c in range(channels)]
    arrays[f"{case}/image"] = image.astype(np.float64)
    arrays[f"{case}/matrix"], arrays[f"{case}/shift"] = matrix.reshape(-1), shift
    arrays[f"{case}/controls"] = controls
    arrays[f"{case}/distorted"] = np.stack(distorted, axis=-1)

np.savez_compressed(pathlib.Path(__file__).parent / "distortion.npz", **arrays)

"""Makes the golden files: what PyTorch says about layers, losses, optimizers and the training of a small network.

    /usr/bin/python3 tests/golden/make_goldens.py        # Debian: python3-torch, python3-numpy

writes, beside itself, the arrays (layers.npz, losses.npz, optimizers.npz, training.npz) and what they are
(goldens.json). All numbers are computed in float64 on one thread from fixed seeds, so a second run gives the same
files. Inputs are multiples of a power of two: exact in float32 too, and stored as such.

Layouts are those of linnet: images NHWC, convolution kernels HWIO, dense kernels (in, out). Where PyTorch has
another layout, or other words for the same thing (padding "same"), it is translated here.

goldens.json holds "versions", "layers", "losses", "optimizers" and "training". A case has a unique "name", the name of
the class in linnet and "config", the members that differ from their defaults, as in describe(). Its arrays are
called <name>/<what>:

  layers      x (or x0, x1, ...), w.<parameter>, dy; y, dx (or dx0, ...), dw.<parameter> for the sum of y * dy;
              state.<parameter>: a moving average after the step; "loss": what the layer adds to the batch's loss,
              whose gradient dx contains. "random": the layer draws normal numbers e. The result is then
              a + e * b for the arrays a = <what> and b = <what>.noise; e is that of the same latent or element.
  losses      y, target; dy, "value": the loss of the batch
  optimizers  w.<i>, h.<i>, g.<i>: at step t = 0, 1, ... weight tensor i has the gradient h * w + g[t % len(g)];
              w.<i>.<t>: the weights after t steps, for t in "steps"
  training    noisy, clean: uint8 images, pixel / 255 is used; w.<parameter>, final.<parameter>: weights before and
              after; "losses": before each step. Step t uses images [t * batch, (t + 1) * batch), going round.
"""

import json
import pathlib
import sys
import zlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

FOLDER = pathlib.Path(__file__).resolve().parent
MASK32 = 0xFFFFFFFF


# Numbers


def generator(name):
    """A random generator for the case `name`, whatever other cases there are."""
    g = torch.Generator()
    g.manual_seed(zlib.crc32(name.encode()))
    return g


def grid(g, *shape, scale=1.0):
    """Random multiples of scale / 64 in [-scale, scale], never 0 (a kink of many functions)."""
    n = torch.randint(0, 128, shape, generator=g)
    return (n - 64 + (n >= 64)).double() * (scale / 64)


def distinct(g, *shape):
    """Numbers in [-1, 1] no two of which are equal: maxima have one place."""
    size = int(np.prod(shape))
    n = torch.randperm(size, generator=g).double() - size // 2
    return (n / 2 ** int(np.ceil(np.log2(size)) - 1)).reshape(shape)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., SC'11)."""
    x, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [b >> 32 ^ x[1] ^ k[0], b & MASK32, a >> 32 ^ x[3] ^ k[1], a & MASK32]
        k = [(k[0] + 0x9E3779B9) & MASK32, (k[1] + 0xBB67AE85) & MASK32]
    return x


def uniform(key, sample, n):
    """The first n uniform numbers of linnet::RandomKey `key` for `sample`."""
    words = []
    for i in range((n + 3) // 4):
        words += philox((i, sample, key["step"], key["stream"]), (key["seed"] & MASK32, key["seed"] >> 32))
    return torch.tensor([(w >> 8) / 2**24 for w in words[:n]])


# Storing


class Store:
    """The arrays of one .npz file."""

    def __init__(self, name):
        self.name, self.arrays = name, {}

    def put(self, key, tensor, exact=False):
        """Keeps a copy: as float32 where that is exact (which `exact` demands), else as float64."""
        a = tensor.detach().numpy().astype(np.float64)
        narrow = a.astype(np.float32)
        is_exact = bool((narrow == a).all())
        assert is_exact or not exact, f"{key} is not exact in float32"
        assert key not in self.arrays, key
        self.arrays[key] = narrow if is_exact else a

    def save(self):
        np.savez_compressed(FOLDER / f"{self.name}.npz", **self.arrays)


layers, losses, optimizers, training = (Store(n) for n in ("layers", "losses", "optimizers", "training"))
manifest = {
    "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "numpy": np.__version__},
    "layers": [],
    "losses": [],
    "optimizers": [],
}


# Layers


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def oihw(kernel):
    return kernel.permute(3, 2, 0, 1).contiguous()


def add_layer(name, layer, config, inputs, forward, weights=None, random=None, training_mode=True, state=None,
              random_key=None):
    """Adds a case. forward(inputs, weights, e) gives y, or (y, loss); e is the normal noise of a random layer.
    Outside training a layer has no backward pass."""
    weights = weights or {}
    g = generator(name + " dy")
    case = {"name": name, "layer": layer, "config": config, "inputs": len(inputs), "parameters": list(weights),
            "training": training_mode}
    labels = [""] if len(inputs) == 1 else [str(i) for i in range(len(inputs))]
    for label, x in zip(labels, inputs):
        layers.put(f"{name}/x{label}", x, exact=True)
    for key, w in weights.items():
        layers.put(f"{name}/w.{key}", w, exact=True)

    def run(e):
        leaves = [x.clone().requires_grad_() for x in inputs]
        w = {k: v.clone().requires_grad_() for k, v in weights.items()}
        result = forward(leaves, w, e)
        y, loss = result if isinstance(result, tuple) else (result, None)
        if not training_mode:
            return {"y": y}, loss
        dy = grid(g.manual_seed(zlib.crc32(name.encode()) + 1), *y.shape)
        ((y * dy).sum() + (0 if loss is None else loss)).backward()
        found = {"y": y, "dy": dy}
        for label, x in zip(labels, leaves):
            found[f"dx{label}"] = x.grad
        for key, v in w.items():
            if v.grad is not None:
                found[f"dw.{key}"] = v.grad
        return found, loss

    found, loss = run(0.0)
    for key, value in found.items():
        layers.put(f"{name}/{key}", value)
    if loss is not None:
        case["loss"] = loss.item()
    if random:
        case["random"] = random
        for key, value in run(1.0)[0].items():
            if key != "dy":
                layers.put(f"{name}/{key}.noise", value - found[key])
    if random_key:
        case["random_key"] = random_key
    for key, value in (state or {}).items():
        layers.put(f"{name}/state.{key}", value)
    manifest["layers"].append(case)


def activation_config(kind, alpha=0.0):
    return {"kind": kind, "alpha": alpha}


def activate(config, z):
    kind, alpha = config["kind"], config["alpha"]
    return {
        "linear": lambda: z,
        "relu": lambda: F.relu(z),
        "leaky_relu": lambda: F.leaky_relu(z, alpha),
        "elu": lambda: F.elu(z, alpha),
        "selu": lambda: F.selu(z),
        "gelu": lambda: F.gelu(z),
        "silu": lambda: F.silu(z),
        "sigmoid": lambda: torch.sigmoid(z),
        "tanh": lambda: torch.tanh(z),
        # F.softplus is linear above a threshold, which costs 1e-9.
        "softplus": lambda: torch.logaddexp(z, torch.zeros_like(z)),
        "softmax": lambda: torch.softmax(z, -1),
    }[kind]()


ACTIVATIONS = [
    activation_config("linear"), activation_config("relu"), activation_config("leaky_relu", 0.2),
    activation_config("leaky_relu", 0.01), activation_config("elu", 1.0), activation_config("elu", 0.5),
    activation_config("selu"), activation_config("gelu"), activation_config("silu"), activation_config("sigmoid"),
    activation_config("tanh"), activation_config("softplus"), activation_config("softmax"),
]


def pair(v):
    return v if isinstance(v, tuple) else (v, v)


def size_config(v):
    return {"height": pair(v)[0], "width": pair(v)[1]}


def padding_config(padding):
    """`padding` is "valid", "same" or (top, bottom, left, right)."""
    kind = padding if isinstance(padding, str) else "explicit"
    sides = padding if kind == "explicit" else (0, 0, 0, 0)
    return {"kind": kind, **dict(zip(("top", "bottom", "left", "right"), sides))}


def sides(padding, extents, kernel, stride, dilation):
    """(top, bottom, left, right) in pixels; "same" puts an odd pixel at the end, as in Keras."""
    if padding == "valid":
        return (0, 0, 0, 0)
    if padding != "same":
        return padding
    result = []
    for n, k, s, d in zip(extents, kernel, stride, dilation):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        result += [total // 2, total - total // 2]
    return tuple(result)


def pad_image(x, top, bottom, left, right, value=0.0):
    """Of an NCHW image; negative sides crop."""
    return F.pad(x, (left, right, top, bottom), value=value)


def add_activation(config):
    name = f"activation_{config['kind']}_{config['alpha']:g}"
    g = generator(name)
    x = grid(g, 3, 4, 5, scale=4.0)
    x[0, 0, :4] = torch.tensor([30.0, -30.0, 2.0**-10, -(2.0**-10)])
    add_layer(name, "Activation", config, [x], lambda x, w, e: activate(config, x[0]))


def add_conv(name, image, filters, kernel=3, stride=1, padding="valid", dilation=1, groups=1,
             activation=activation_config("linear"), bias=True, batch=2):
    name = f"conv2d_{name}"
    g = generator(name)
    k, s, d = pair(kernel), pair(stride), pair(dilation)
    config = {"filters": filters, "kernel_size": size_config(k), "strides": size_config(s),
              "padding": padding_config(padding), "dilation_rate": size_config(d), "groups": groups,
              "activation": activation, "use_bias": bias}
    weights = {"kernel": grid(g, *k, image[2] // groups, filters)}
    if bias:
        weights["bias"] = grid(g, filters)

    def forward(x, w, e):
        z = pad_image(nchw(x[0]), *sides(padding, image[:2], k, s, d))
        z = F.conv2d(z, oihw(w["kernel"]), w.get("bias"), s, 0, d, groups)
        return activate(activation, nhwc(z))

    add_layer(name, "Conv2D", config, [grid(g, batch, *image)], forward, weights)


def add_conv_transpose(name, image, filters, kernel=3, stride=2, padding="valid", output_padding=0, dilation=1,
                       activation=activation_config("linear"), bias=True):
    name = f"conv2d_transpose_{name}"
    g = generator(name)
    k, s, d, more = pair(kernel), pair(stride), pair(dilation), pair(output_padding)
    config = {"filters": filters, "kernel_size": size_config(k), "strides": size_config(s),
              "padding": padding_config(padding), "output_padding": size_config(more),
              "dilation_rate": size_config(d), "activation": activation, "use_bias": bias}
    weights = {"kernel": grid(g, *k, filters, image[2])}
    if bias:
        weights["bias"] = grid(g, filters)
    # The whole product has (n - 1) s + covered pixels on an axis; it is cropped, or continued with zeros.
    crop = []
    for i in range(2):
        covered = (k[i] - 1) * d[i] + 1
        whole = (image[i] - 1) * s[i] + covered
        if padding == "valid":
            before, size = 0, image[i] * s[i] + max(covered - s[i], 0)
        elif padding == "same":
            before, size = max(covered - s[i], 0) // 2, image[i] * s[i]
        else:
            before, size = padding[2 * i], whole - padding[2 * i] - padding[2 * i + 1] + more[i]
        crop += [-before, size + before - whole]

    def forward(x, w, e):
        z = F.conv_transpose2d(nchw(x[0]), oihw(w["kernel"]), None, s, 0, 0, 1, d)
        z = nhwc(pad_image(z, *crop))
        return activate(activation, z + w["bias"] if bias else z)

    add_layer(name, "Conv2DTranspose", config, [grid(g, 2, *image)], forward, weights)


def add_pool(name, image, pool=2, stride=None, padding="valid"):
    p, s = pair(pool), pair(stride or pool)
    config = {"pool_size": size_config(p), "padding": padding_config(padding)}
    if stride:
        config["strides"] = size_config(s)
    around = sides(padding, image[:2], p, s, (1, 1))
    x = distinct(generator(name), 2, *image)

    def largest(x, w, e):
        return nhwc(F.max_pool2d(pad_image(nchw(x[0]), *around, value=-np.inf), p, s))

    def average(x, w, e):
        total = F.avg_pool2d(pad_image(nchw(x[0]), *around), p, s, divisor_override=1)
        count = F.avg_pool2d(pad_image(torch.ones(1, 1, *image[:2]), *around), p, s, divisor_override=1)
        return nhwc(total / count)

    add_layer(f"max_pool2d_{name}", "MaxPool2D", config, [x], largest)
    add_layer(f"average_pool2d_{name}", "AveragePool2D", config, [x], average)


def add_up_sampling(image, size, interpolation):
    name = f"up_sampling2d_{interpolation}_{'x'.join(map(str, image + pair(size)))}"
    config = {"size": size_config(size), "interpolation": interpolation}
    extents = [n * f for n, f in zip(image, pair(size))]
    options = {"align_corners": False} if interpolation == "bilinear" else {}
    add_layer(name, "UpSampling2D", config, [grid(generator(name), 2, *image)],
              lambda x, w, e: nhwc(F.interpolate(nchw(x[0]), extents, mode=interpolation, **options)))


def add_dense(name, shape, units, activation=activation_config("linear"), bias=True, batch=3):
    name = f"dense_{name}"
    g = generator(name)
    weights = {"kernel": grid(g, shape[-1], units)}
    if bias:
        weights["bias"] = grid(g, units)
    config = {"units": units, "activation": activation, "use_bias": bias}
    add_layer(name, "Dense", config, [grid(g, batch, *shape)],
              lambda x, w, e: activate(activation, x[0] @ w["kernel"] + w.get("bias", 0.0)), weights)


def add_batch_normalization(name, shape, batch, momentum, epsilon, center=True, scale=True):
    for mode in (True, False):
        case = f"batch_normalization_{name}_{'training' if mode else 'inference'}"
        g = generator(case)
        c = shape[-1]
        x = grid(g, batch, *shape) + grid(g, c)
        weights = {}
        if scale:
            weights["gamma"] = grid(g, c)
        if center:
            weights["beta"] = grid(g, c)
        weights |= {"moving_mean": grid(g, c), "moving_variance": grid(g, c).abs() + 0.5}
        state = None
        if mode:
            rows = x.reshape(-1, c)
            variance = rows.var(0, unbiased=False)  # as Keras; PyTorch's own running variance is the unbiased one
            state = {"moving_mean": momentum * weights["moving_mean"] + (1 - momentum) * rows.mean(0),
                     "moving_variance": momentum * weights["moving_variance"] + (1 - momentum) * variance}

        def forward(x, w, e, mode=mode):
            mean, variance = (w[k].detach().clone() for k in ("moving_mean", "moving_variance"))
            y = F.batch_norm(x[0].reshape(-1, c), mean, variance, w.get("gamma"), w.get("beta"), mode, 0.0, epsilon)
            return y.reshape(x[0].shape)

        config = {"momentum": momentum, "epsilon": epsilon, "center": center, "scale": scale}
        add_layer(case, "BatchNormalization", config, [x], forward, weights, training_mode=mode, state=state)


def add_layer_normalization(shape, epsilon, center=True, scale=True):
    name = f"layer_normalization_{'x'.join(map(str, shape))}"
    g = generator(name)
    c = shape[-1]
    weights = {}
    if scale:
        weights["gamma"] = grid(g, c)
    if center:
        weights["beta"] = grid(g, c)
    config = {"epsilon": epsilon, "center": center, "scale": scale}
    add_layer(name, "LayerNormalization", config, [grid(g, 3, *shape)],
              lambda x, w, e: F.layer_norm(x[0], (c,), w.get("gamma"), w.get("beta"), epsilon), weights)


def add_merges():
    for shape in ((4,), (3, 5, 2)):
        text = "x".join(map(str, shape))
        for count in (2, 3):
            name = f"add_{text}_{count}"
            g = generator(name)
            add_layer(name, "Add", {}, [grid(g, 2, *shape) for _ in range(count)], lambda x, w, e: sum(x))
    for name, axis, shapes in (("channels", -1, ((3, 5, 2), (3, 5, 4), (3, 5, 1))), ("rows", 0, ((3, 4), (2, 4))),
                               ("columns", 1, ((3, 2, 2), (3, 3, 2)))):
        g = generator("concatenate_" + name)
        add_layer("concatenate_" + name, "Concatenate", {"axis": axis}, [grid(g, 2, *s) for s in shapes],
                  lambda x, w, e, axis=axis: torch.cat(x, axis if axis < 0 else axis + 1))


def add_random_layers():
    key = {"seed": 0x123456789ABCDEF, "stream": 3, "step": 7}
    for rate in (0.25, 0.5):
        for mode in (True, False):
            name = f"dropout_{rate:g}_{'training' if mode else 'inference'}"
            shape = (3, 5, 7)
            kept = torch.stack([(uniform(key, i, 35) >= rate).double() for i in range(3)]).reshape(shape)
            mask = kept / (1 - rate) if mode else torch.ones(shape)
            add_layer(name, "Dropout", {"rate": rate}, [grid(generator(name), *shape)],
                      lambda x, w, e, mask=mask: x[0] * mask, training_mode=mode, random_key=key)
    for mode in (True, False):
        name = f"gaussian_noise_{'training' if mode else 'inference'}"
        add_layer(name, "GaussianNoise", {"stddev": 0.5}, [grid(generator(name), 2, 3, 5)],
                  lambda x, w, e, mode=mode: x[0] + (0.5 * e if mode else 0.0), training_mode=mode,
                  random="normal" if mode else None, random_key=key)
        # y = mean + exp(log_variance / 2) e, and the Kullback-Leibler divergence to the standard normal
        # (D. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B), mean over the batch.
        for weight in (1.0, 0.25):
            name = f"gaussian_latent_{weight:g}_{'training' if mode else 'inference'}"

            def forward(x, w, e, mode=mode, weight=weight):
                mean, log_variance = x[0].chunk(2, -1)
                divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum() / x[0].shape[0]
                return mean + (log_variance / 2).exp() * e if mode else mean, weight * divergence

            add_layer(name, "GaussianLatent", {"kl_weight": weight}, [grid(generator(name), 3, 10, scale=2.0)], forward,
                      training_mode=mode, random="normal" if mode else None, random_key=key)


def make_layers():
    for config in ACTIVATIONS:
        add_activation(config)

    add_conv("same", (7, 6, 3), 5, padding="same")
    add_conv("one_channel", (9, 8, 1), 16, padding="same", activation=activation_config("relu"))
    add_conv("sixteen", (6, 5, 16), 16, padding="same", activation=activation_config("relu"))
    add_conv("one_filter", (6, 7, 16), 1, padding="same", activation=activation_config("sigmoid"))
    add_conv("valid_odd", (8, 7, 5), 7)
    add_conv("even_kernel_same", (5, 6, 2), 3, kernel=(2, 4), padding="same")
    add_conv("kernel_1", (4, 5, 6), 9, kernel=1)
    add_conv("kernel_5_stride_2_same", (9, 10, 3), 4, kernel=5, stride=2, padding="same")
    add_conv("stride_2_same_even", (8, 8, 4), 6, stride=2, padding="same")
    add_conv("stride_3_2_explicit", (10, 9, 2), 3, stride=(3, 2), padding=(1, 0, 2, 1))
    add_conv("dilation_2", (9, 9, 3), 4, dilation=2)
    add_conv("dilation_3_2_same", (8, 9, 2), 5, dilation=(3, 2), padding="same")
    add_conv("groups_2", (6, 6, 4), 6, groups=2, padding="same")
    add_conv("depthwise", (7, 5, 6), 12, groups=6, padding="same", stride=2)
    add_conv("explicit_wide", (3, 4, 2), 3, kernel=(3, 5), padding=(2, 3, 4, 1))
    add_conv("one_pixel", (1, 1, 3), 4, padding="same")
    add_conv("no_bias", (5, 5, 3), 4, bias=False, activation=activation_config("tanh"))
    add_conv("batch_1", (5, 4, 2), 17, batch=1, padding="same")
    for config in ACTIVATIONS:
        add_conv(f"{config['kind']}_{config['alpha']:g}", (4, 3, 2), 5, padding="same", activation=config)

    add_conv_transpose("same", (4, 3, 3), 5, padding="same")
    add_conv_transpose("valid", (3, 4, 2), 4)
    add_conv_transpose("stride_1_same", (5, 4, 3), 2, stride=1, padding="same", activation=activation_config("relu"))
    add_conv_transpose("explicit", (4, 5, 3), 2, padding=(1, 1, 1, 1), output_padding=1)
    add_conv_transpose("explicit_uneven", (4, 3, 2), 3, kernel=(4, 3), stride=(3, 2), padding=(0, 2, 1, 0),
                       output_padding=(2, 0))
    add_conv_transpose("small_kernel", (3, 3, 2), 3, kernel=2, stride=3, padding="same")
    add_conv_transpose("small_kernel_valid", (3, 3, 2), 3, kernel=1, stride=(2, 3))
    add_conv_transpose("dilation", (4, 3, 2), 2, dilation=2, padding="same")
    add_conv_transpose("sixteen", (4, 4, 16), 16, padding="same", activation=activation_config("gelu"))
    add_conv_transpose("no_bias", (3, 2, 4), 5, bias=False, activation=activation_config("silu"))

    add_pool("2", (6, 8, 3))
    add_pool("2_odd", (7, 5, 16))
    add_pool("2_same", (7, 5, 3), padding="same")
    add_pool("3_stride_2_same", (7, 8, 2), 3, 2, "same")
    add_pool("3_stride_1_same", (4, 5, 3), 3, 1, "same")
    add_pool("2x3_stride_3x1", (8, 6, 1), (2, 3), (3, 1))
    add_pool("3_explicit", (6, 7, 2), 3, 2, (1, 0, 1, 2))
    for image in ((5, 7, 3), (1, 1, 4), (2, 3, 17)):
        name = "global_average_pool2d_" + "x".join(map(str, image))
        add_layer(name, "GlobalAveragePool2D", {}, [grid(generator(name), 2, *image)],
                  lambda x, w, e: x[0].mean((1, 2)))

    for interpolation in ("nearest", "bilinear"):
        for image, size in (((3, 4, 3), 2), ((5, 3, 16), 2), ((2, 3, 1), (3, 2)), ((1, 1, 2), 2), ((1, 4, 2), (4, 1))):
            add_up_sampling(image, size, interpolation)
    for around in ((1, 1, 1, 1), (2, 0, 1, 3)):
        name = "zero_padding2d_" + "".join(map(str, around))
        add_layer(name, "ZeroPadding2D", {"padding": padding_config(around)}, [grid(generator(name), 2, 3, 4, 2)],
                  lambda x, w, e, around=around: nhwc(pad_image(nchw(x[0]), *around)))

    add_dense("plain", (7,), 5)
    add_dense("wide", (33,), 17, activation_config("relu"))
    add_dense("one", (4,), 1, activation_config("sigmoid"))
    add_dense("softmax", (9,), 10, activation_config("softmax"))
    add_dense("no_bias", (6,), 3, activation_config("gelu"), bias=False)
    add_dense("rank_3", (2, 3, 5), 4, activation_config("tanh"))
    add_dense("batch_1", (8,), 16, batch=1)
    name = "flatten"
    add_layer(name, "Flatten", {}, [grid(generator(name), 2, 3, 4, 2)], lambda x, w, e: x[0].flatten(1))
    for target, inferred in (((4, 6), (4, -1)), ((2, 2, 6), (2, 2, 6))):
        name = "reshape_" + "x".join(map(str, target))
        add_layer(name, "Reshape", {"target_shape": list(inferred)}, [grid(generator(name), 2, 3, 4, 2)],
                  lambda x, w, e, target=target: x[0].reshape(2, *target))

    add_batch_normalization("vector", (5,), 8, 0.99, 1e-3)
    add_batch_normalization("image", (4, 3, 3), 3, 0.9, 1e-5)
    add_batch_normalization("image_17", (3, 5, 17), 2, 0.9, 1e-3)
    add_batch_normalization("plain", (2, 3), 5, 0.9, 1e-3, center=False, scale=False)
    add_batch_normalization("no_scale", (3,), 6, 0.9, 1e-3, scale=False)
    add_layer_normalization((7,), 1e-3)
    add_layer_normalization((3, 4, 5), 1e-5)
    add_layer_normalization((2, 33), 1e-3)
    add_layer_normalization((4, 6), 1e-3, scale=False)
    add_layer_normalization((5, 3), 1e-3, center=False)
    add_merges()
    add_random_layers()


# Losses


def add_loss(name, loss, config, y, target, function, reductions=("mean", "sum")):
    """function(y, target) gives one loss per sample and term, (batch, terms)."""
    for reduction in reductions:
        case = f"{name}_{reduction}" if reduction else name
        leaf = y.clone().requires_grad_()
        terms = function(leaf, target)
        per_sample = terms.sum(1) if reduction == "sum" else terms.mean(1)
        value = per_sample.mean()
        value.backward()
        losses.put(f"{case}/y", y, exact=True)
        losses.put(f"{case}/target", target, exact=True)
        losses.put(f"{case}/dy", leaf.grad)
        if reduction:
            config = {**config, "reduction": reduction}
        manifest["losses"].append({"name": case, "loss": loss, "config": config, "value": value.item()})


def classes_first(a):
    return a.movedim(-1, 1).contiguous()


def make_losses():
    for shape in ((3, 5), (2, 5, 3, 2), (1, 33)):
        text = "x".join(map(str, shape))
        g = generator("loss " + text)
        p = torch.randint(1, 256, shape, generator=g).double() / 256
        z = grid(g, *shape, scale=8.0)
        soft = torch.randint(0, 257, shape, generator=g).double() / 256
        soft.view(-1)[:4] = torch.tensor([0.0, 1.0, 1.0, 0.0])
        t = grid(g, *shape, scale=8.0)
        classes = shape[-1]
        hot = torch.randint(0, classes, (*shape[:-1], 1), generator=g)

        def rows(a):
            return a.reshape(shape[0], -1)

        add_loss(f"binary_crossentropy_{text}", "BinaryCrossentropy", {"from_logits": False}, p, soft,
                 lambda y, t: rows(F.binary_cross_entropy(y, t, reduction="none")))
        add_loss(f"binary_crossentropy_logits_{text}", "BinaryCrossentropy", {"from_logits": True}, z, soft,
                 lambda y, t: rows(F.binary_cross_entropy_with_logits(y, t, reduction="none")))
        add_loss(f"categorical_crossentropy_{text}", "CategoricalCrossentropy", {"from_logits": False}, p, soft,
                 lambda y, t: rows(-(t * y.log()).sum(-1)))
        add_loss(f"categorical_crossentropy_logits_{text}", "CategoricalCrossentropy", {"from_logits": True}, z, soft,
                 lambda y, t: rows(F.cross_entropy(classes_first(y), classes_first(t), reduction="none")))
        if len(shape) == 2:  # one class per sample: nothing to reduce
            add_loss(f"sparse_categorical_crossentropy_{text}", "SparseCategoricalCrossentropy", {"from_logits": False},
                     p, hot, lambda y, t: rows(F.nll_loss(y.log(), t.squeeze(-1), reduction="none")), [None])
            add_loss(f"sparse_categorical_crossentropy_logits_{text}", "SparseCategoricalCrossentropy",
                     {"from_logits": True}, z, hot,
                     lambda y, t: rows(F.cross_entropy(y, t.squeeze(-1), reduction="none")), [None])
        add_loss(f"mean_squared_error_{text}", "MeanSquaredError", {}, z, t,
                 lambda y, t: rows(F.mse_loss(y, t, reduction="none")))
        add_loss(f"mean_absolute_error_{text}", "MeanAbsoluteError", {}, z, t,
                 lambda y, t: rows(F.l1_loss(y, t, reduction="none")))
        for delta in (1.0, 2.5):
            add_loss(f"huber_{delta:g}_{text}", "Huber", {"delta": delta}, z, t,
                     lambda y, t, delta=delta: rows(F.huber_loss(y, t, reduction="none", delta=delta)))


# Optimizers


def add_optimizer(name, optimizer, config, make, steps=(1, 2, 10, 100, 1000)):
    g = generator("optimizer")  # the same problem for all
    shapes = ((7, 5), (3,), (2, 33))
    w = [grid(g, *s).requires_grad_() for s in shapes]
    h = [grid(g, *s).abs() for s in shapes]
    gradients = [grid(g, 16, *s) for s in shapes]
    for i in range(len(shapes)):
        optimizers.put(f"{name}/w.{i}", w[i], exact=True)
        optimizers.put(f"{name}/h.{i}", h[i], exact=True)
        optimizers.put(f"{name}/g.{i}", gradients[i], exact=True)
    rule = make(w)
    for t in range(max(steps)):
        for i in range(len(shapes)):
            w[i].grad = (h[i] * w[i] + gradients[i][t % 16]).detach()
        rule.step()
        if t + 1 in steps:
            for i in range(len(shapes)):
                optimizers.put(f"{name}/w.{i}.{t + 1}", w[i])
    manifest["optimizers"].append({"name": name, "optimizer": optimizer, "config": config, "tensors": len(shapes),
                                   "learning_rate": rule.param_groups[0]["lr"], "steps": list(steps)})


def make_optimizers():
    o = torch.optim
    add_optimizer("sgd", "SGD", {"weight_decay": 0.01}, lambda w: o.SGD(w, 0.01, weight_decay=0.01))
    add_optimizer("sgd_momentum", "SGD", {"momentum": 0.9}, lambda w: o.SGD(w, 0.01, 0.9))
    add_optimizer("sgd_nesterov", "SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
                  lambda w: o.SGD(w, 0.01, 0.9, weight_decay=0.01, nesterov=True))
    add_optimizer("rmsprop", "RMSprop", {"rho": 0.9, "epsilon": 1e-7}, lambda w: o.RMSprop(w, 1e-3, 0.9, 1e-7))
    add_optimizer("rmsprop_momentum", "RMSprop", {"rho": 0.95, "momentum": 0.5, "epsilon": 1e-5},
                  lambda w: o.RMSprop(w, 1e-3, 0.95, 1e-5, momentum=0.5))
    add_optimizer("adam", "Adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
                  lambda w: o.Adam(w, 1e-3, (0.9, 0.999), 1e-7))
    add_optimizer("adam_other", "Adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
                  lambda w: o.Adam(w, 0.01, (0.8, 0.99), 1e-3))
    add_optimizer("adamw", "AdamW", {"weight_decay": 0.004, "epsilon": 1e-7},
                  lambda w: o.AdamW(w, 1e-3, (0.9, 0.999), 1e-7, 0.004))
    add_optimizer("adamw_other", "AdamW", {"weight_decay": 0.1, "epsilon": 1e-5},
                  lambda w: o.AdamW(w, 0.01, (0.9, 0.999), 1e-5, 0.1))


# Training


def make_training():
    """20 steps of the denoiser: Conv2D 16 relu - MaxPool - Conv2D 16 relu - MaxPool - Conv2D 16 relu - UpSampling -
    Conv2D 16 relu - UpSampling - Conv2D 1 sigmoid; binary cross-entropy; Adam."""
    g = generator("training")
    batch, steps, images = 8, 20, 40
    # Blobs; the noise is everywhere, so that no two windows look alike: maxima have one place.
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    clean = torch.zeros(images, 28, 28, 1)
    for i in range(images):
        for _ in range(3):
            r, c = torch.rand(2, generator=g) * 20 + 4
            clean[i, :, :, 0] += torch.exp(-((rows - r) ** 2 + (columns - c) ** 2) / 12)
    clean = (255 * clean.clamp(0, 1)).round()
    noisy = (clean / 2 + 127 * torch.rand(clean.shape, generator=g)).round()

    weights = {}
    for i, (c, k) in enumerate(((1, 16), (16, 16), (16, 16), (16, 16), (16, 1))):
        limit = (6 / (9 * (c + k))) ** 0.5  # Glorot uniform
        kernel = (torch.rand(3, 3, c, k, generator=g) * 2 - 1) * limit
        weights[f"conv2d_{i}.kernel"] = kernel.float().double()
        weights[f"conv2d_{i}.bias"] = torch.zeros(k)
    for key, w in weights.items():
        training.put(f"w.{key}", w, exact=True)
        w.requires_grad_()
    training.arrays["noisy"] = noisy.numpy().astype(np.uint8)
    training.arrays["clean"] = clean.numpy().astype(np.uint8)

    def logits(x):
        for i in range(5):
            kernel = oihw(weights[f"conv2d_{i}.kernel"])
            x = F.conv2d(x, kernel, weights[f"conv2d_{i}.bias"], padding=1)
            if i < 4:
                x = F.relu(x)
                x = F.max_pool2d(x, 2) if i < 2 else F.interpolate(x, scale_factor=2) if i < 4 else x
        return x

    adam = torch.optim.Adam(weights.values(), 1e-3, (0.9, 0.999), 1e-7)
    values = []
    for t in range(steps):
        part = [i % images for i in range(t * batch, (t + 1) * batch)]
        loss = F.binary_cross_entropy_with_logits(logits(nchw(noisy[part] / 255)), nchw(clean[part] / 255))
        adam.zero_grad()
        loss.backward()
        adam.step()
        values.append(loss.item())
    for key, w in weights.items():
        training.put(f"final.{key}", w)
    manifest["training"] = {"batch": batch, "steps": steps, "images": images, "learning_rate": 1e-3,
                            "epsilon": 1e-7, "parameters": list(weights), "losses": values}


def main():
    make_layers()
    make_losses()
    make_optimizers()
    make_training()
    for store in (layers, losses, optimizers, training):
        store.save()
    (FOLDER / "goldens.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()

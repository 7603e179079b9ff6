"""PyTorch's side of the comparison, eager: torch_worker.py contiguous|channels_last. Threads: OMP_NUM_THREADS.

With the argument `onnx FILE` it writes the denoiser to an ONNX file instead, which onnxruntime_worker.js runs.
"""

import os
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Denoiser(nn.Module):
    """The network of the original report (ML-PW-12), 7,265 parameters. The output are logits when training."""

    def __init__(self):
        super().__init__()
        same = dict(kernel_size=3, padding=1)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, **same), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 16, **same), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 16, **same), nn.ReLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 16, **same), nn.ReLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 1, **same))

    def forward(self, x):
        logits = self.layers(x)
        return logits if self.training else torch.sigmoid(logits)

    def loss(self, x, target):
        return F.binary_cross_entropy_with_logits(self(x), target)

    @staticmethod
    def data(batch):
        return torch.rand(batch, 1, 28, 28), torch.rand(batch, 1, 28, 28)


class Autoencoder(nn.Module):
    """A variational autoencoder 784-400-20-400-784."""

    def __init__(self):
        super().__init__()
        self.first, self.latent = nn.Linear(784, 400), nn.Linear(400, 40)
        self.second, self.last = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x):
        self.mean, self.log_variance = self.latent(F.relu(self.first(x))).chunk(2, dim=1)
        z = self.mean
        if self.training:
            z = z + torch.exp(0.5 * self.log_variance) * torch.randn_like(z)
        logits = self.last(F.relu(self.second(z)))
        return logits if self.training else torch.sigmoid(logits)

    def loss(self, x, target):
        reconstruction = F.binary_cross_entropy_with_logits(self(x), target, reduction="sum")
        kl = -0.5 * torch.sum(1 + self.log_variance - self.mean.square() - self.log_variance.exp())
        return (reconstruction + kl) / x.shape[0]

    @staticmethod
    def data(batch):
        return torch.rand(batch, 784), torch.rand(batch, 784)


class Classifier(nn.Module):
    """Convolutions of 32 and 64 filters, then 9216-128-10."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        logits = self.layers(x)
        return logits if self.training else torch.softmax(logits, 1)

    def loss(self, x, target):
        return F.cross_entropy(self(x), target)

    @staticmethod
    def data(batch):
        return torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))


NETWORKS = {"denoiser": Denoiser, "autoencoder": Autoencoder, "classifier": Classifier}


def prepare(words, layout):
    """The call of a case, or None."""
    if words[0] not in ("train", "predict"):
        return None
    network, batch = NETWORKS[words[1]](), int(words[2])
    x, target = network.data(batch)
    if layout == "channels_last":
        if x.dim() != 4:
            return None
        network, x = network.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    if words[0] == "train":
        optimizer = torch.optim.Adam(network.parameters(), eps=1e-7)

        def step():
            optimizer.zero_grad()
            loss = network.loss(x, target)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step
    network.eval()

    def predict():
        with torch.inference_mode():
            return network(x)

    return predict


def median_time(call, seconds):
    times = []
    call()
    start = before = time.perf_counter()
    while len(times) < 3 or before - start < seconds:
        call()
        after = time.perf_counter()
        times.append(after - before)
        before = after
    return statistics.median(times)


def main():
    if sys.argv[1] == "onnx":
        torch.onnx.export(Denoiser().eval(), torch.zeros(1, 1, 28, 28), sys.argv[2], input_names=["x"],
                          output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
        return
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(0)
    calls = {}
    for line in sys.stdin:
        name, seconds = line.rsplit(" ", 1)
        if name not in calls:
            calls[name] = prepare(name.split(), sys.argv[1])
        print("-" if calls[name] is None else f"{median_time(calls[name], float(seconds)):.9g}", flush=True)


main()

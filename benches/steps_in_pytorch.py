"""The training steps that `wgrad bench --filter train` times, in PyTorch: eager, channels_last, autocast, and that compiled.

    python benches/steps_in_pytorch.py --device cuda --json steps.json

Random images of 3x32x32 in ten classes, with momentum and weight decay; a step is timed with its batch's way to the device and the wait
for its end. Autocast is f16 with a scaled loss on a GPU, and is left out elsewhere. Wants the package torch.
"""

import argparse
import json
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    sys.exit("PyTorch is wanted: pip install torch")


def conv(c, k, stride=1):
    return nn.Conv2d(c, k, 3, stride, 1, bias=False)


def small_cnn():
    def twice(c, k):
        return [conv(c, k), nn.BatchNorm2d(k), nn.ReLU(), conv(k, k), nn.BatchNorm2d(k), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*twice(3, 32), *twice(32, 64), nn.Dropout(0.3), nn.Flatten(), nn.Linear(64 * 8 * 8, 10))


class Block(nn.Module):
    def __init__(self, c, k, stride):
        super().__init__()
        self.body = nn.Sequential(conv(c, k, stride), nn.BatchNorm2d(k), nn.ReLU(), conv(k, k), nn.BatchNorm2d(k))
        projects = c != k or stride > 1
        self.shortcut = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k)) if projects else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet20():
    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Block(c, k, 1 if c == k else 2) for c, k in zip(widths, widths[1:])]
    stem = [conv(3, 16), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def airbench():
    def block(c, k):
        rest = [conv(k, k), nn.BatchNorm2d(k), nn.GELU()]
        return [conv(c, k), nn.MaxPool2d(2), nn.BatchNorm2d(k), nn.GELU(), *rest]

    whitening = nn.Conv2d(3, 24, 2)
    whitening.weight.requires_grad = False
    body = [*block(24, 64), *block(64, 256), *block(256, 256), nn.MaxPool2d(3), nn.Flatten()]
    return nn.Sequential(whitening, nn.GELU(), *body, nn.Linear(256, 10, bias=False))


STEPS = [("small-cnn", small_cnn, 64), ("small-cnn", small_cnn, 128), ("resnet20", resnet20, 64), ("airbench", airbench, 500)]
MODES = {"eager": (False, False, False), "channels_last": (True, False, False), "autocast": (True, True, False), "compiled": (True, True, True)}


def timed(make, batch, mode, device, seconds):
    """The median milliseconds of a step."""
    last, half, compiled = MODES[mode]
    layout = torch.channels_last if last else torch.contiguous_format
    net = make().to(device).to(memory_format=layout)
    sgd = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.01, momentum=0.9, weight_decay=5e-4)
    scaler = torch.amp.GradScaler(device, enabled=half)
    run = torch.compile(net) if compiled else net
    x, labels = torch.randn(batch, 3, 32, 32), torch.arange(batch) % 10

    def step():
        began = time.perf_counter()
        on_device = x.to(device).to(memory_format=layout)
        with torch.autocast(device, dtype=torch.float16, enabled=half):
            loss = F.cross_entropy(run(on_device).float(), labels.to(device))
        sgd.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(sgd)
        scaler.update()
        if device == "cuda":
            torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - began)

    for _ in range(3):
        step()
    times, began = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - began < seconds:
        times.append(step())
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cpu", "cuda"])
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each row is repeated")
    parser.add_argument("--filter", default="", help="only rows with this in their name")
    parser.add_argument("--json", help="write all figures to this file as well")
    flags = parser.parse_args()
    name = torch.cuda.get_device_name() if flags.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"PyTorch {torch.__version__} on {name}")
    modes = MODES if flags.device == "cuda" else ["eager", "channels_last"]
    rows = []
    for model, make, batch in STEPS:
        for mode in modes:
            row = f"train {model} b{batch} {mode}"
            if flags.filter not in row:
                continue
            ms = timed(make, batch, mode, flags.device, flags.seconds)
            rows.append({"name": row, "step_ms": ms, "images_per_s": 1e3 * batch / ms})
            print(f"{row:<36} {ms:>9.2f} ms {1e3 * batch / ms:>9.0f} images/s", flush=True)
    if flags.json:
        with open(flags.json, "w") as file:
            json.dump({"device": name, "torch": torch.__version__, "training": rows}, file, indent=2)


if __name__ == "__main__":
    main()

"""Convolutions of `wgrad bench` beside PyTorch on the CPU, in turn.

    python benches/beside_pytorch.py target/release/wgrad --drawn 1

Each round runs the rows in wgrad and then in PyTorch, in both of its layouts; a row's figures are the medians of the rounds. A ratio
over 1 is wgrad's favour. Wants the package torch.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import torch
    from torch.nn import functional as F
except ImportError:
    sys.exit("PyTorch is wanted beside wgrad: pip install torch")

ROW = re.compile(
    r"(?P<op>conv2d|conv_transpose2d)(?P<grad>_bwd_[xw])? (?P<net>\S+) (?P<taps>\d+)x\d+(?: s(?P<stride>\d+))? "
    r"(?:(?P<c>\d+)>(?P<k>\d+)|(?P<deep>\d+) depthwise) (?P<size>\d+)x\d+ b(?P<batch>\d+)"
)


def work(row, layout):
    """What a row computes, as a function to be timed."""
    taps, stride, size, batch = (int(row[key] or 1) for key in ["taps", "stride", "size", "batch"])
    groups = int(row["deep"] or 1)
    c, k = (groups, groups) if row["deep"] else (int(row["c"]), int(row["k"]))
    up = row["op"] == "conv_transpose2d"
    padding = [(taps // 2 - 1 if up else (taps - 1) // 2)] * 2
    strides, none = [stride] * 2, [0, 0]
    x = torch.randn(batch, c, size, size).to(memory_format=layout)
    w = torch.randn(*((c, k) if up else (k, c // groups)), taps, taps).to(memory_format=layout)
    forward = F.conv_transpose2d if up else F.conv2d
    if row["grad"] is None:
        return lambda: forward(x, w, None, strides, padding, groups=groups)
    dy = torch.randn_like(forward(x, w, None, strides, padding, groups=groups), memory_format=layout)
    mask = [row["grad"] == "_bwd_x", row["grad"] == "_bwd_w", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(dy, x, w, None, strides, padding, [1, 1], up, none, groups, mask)


def milliseconds(run, seconds):
    """Median of the runs that fit into the time, five at least, after one to warm up."""
    run()
    times, began = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def ours(args):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [args.wgrad, "bench", "--device", "cpu", "--seconds", str(args.seconds), "--json", report.name, "--filter", args.filter]
        command += ["--drawn", str(args.drawn)] if args.drawn is not None else []
        try:
            # What it says of itself, and of what is wrong, is shown.
            if code := subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
                sys.exit(code)
        except OSError as error:
            sys.exit(f"{args.wgrad} cannot be run: {error}")
        return {row["name"]: row["median_ms"] for row in json.load(open(report.name))["kernels"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wgrad", help="the program")
    parser.add_argument("--drawn", type=int, help="the seed of drawn layers; without it, the fixed table's")
    parser.add_argument("--filter", default="conv", help="only rows with this in their name")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.2, help="how long a row is repeated")
    args = parser.parse_args()
    layouts = [torch.contiguous_format, torch.channels_last]
    figures = {}
    with torch.no_grad():
        for _ in range(args.rounds):
            for name, ms in ours(args).items():
                if row := ROW.fullmatch(name):
                    theirs = [milliseconds(work(row, layout), args.seconds) for layout in layouts]
                    figures.setdefault(name, []).append([ms, *theirs])
    rows = {name: [statistics.median(each) for each in zip(*rounds)] for name, rounds in figures.items()}
    if not rows:
        sys.exit(f'no convolution has "{args.filter}" in its name')
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; milliseconds, and how many times as fast wgrad is")
    print(f"{'row':<56} {'wgrad':>8} {'eager':>8} {'ratio':>6} {'ch.last':>8} {'ratio':>6}")
    for name, (mine, eager, last) in sorted(rows.items(), key=lambda row: row[1][1] / row[1][0]):
        print(f"{name:<56} {mine:8.3f} {eager:8.3f} {eager / mine:6.2f} {last:8.3f} {last / mine:6.2f}")
    for what, at in [("eager", 1), ("channels_last", 2)]:
        ratios = sorted(row[at] / row[0] for row in rows.values())
        low = sum(ratio < 0.8 for ratio in ratios)
        mean = statistics.geometric_mean(ratios)
        print(f"{what}: worst {ratios[0]:.2f}, median {statistics.median(ratios):.2f}, geometric mean {mean:.2f}; {low} of {len(ratios)} below 0.8")


if __name__ == "__main__":
    main()

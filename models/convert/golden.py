"""Write the self-tests of a manifest: questions drawn from a seed, answers from ONNX Runtime.

usage: golden.py MANIFEST.toml MODEL.onnx TENSOR[:FIRST] ... [--size=WIDTHxHEIGHT]

Prints `[[self_test]]` tables to append to the manifest. Needs onnxruntime and numpy. Run it once
for a new model, on a machine whose results are trusted.
"""

import sys
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime

SEEDS = (1, 2)
VALUES = 8  # kept of each tensor


def pattern(width, height, channels, seed):
    """The drawn picture of README.md, [height, width, channels], 0..=255."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    t = (x * (3 + seed) + y * (5 + seed) + 85 * c) % 512
    return np.where(t < 256, t, 511 - t).astype(np.float32)


def question(spec, width, height, seed):
    channels = 1 if spec["colour"] == "grey" else 3
    mean = np.array(spec["mean"], np.float32)
    scale = np.array(spec["scale"], np.float32)
    drawn = pattern(width, height, channels, seed)
    if spec["layout"] == "squares":
        cells = drawn.reshape(height // 2, 2, width // 2, 2, channels).transpose(0, 2, 1, 3, 4)
        return cells.reshape(1, height // 2, width // 2, 4 * channels).astype(np.uint8)
    tensor = (drawn - mean) * scale
    if spec["layout"] == "nchw":
        tensor = tensor.transpose(2, 0, 1)
    return np.ascontiguousarray(tensor[None])


def table(seed, size, tensor, first, answer):
    values = answer.reshape(-1)[first : first + VALUES]
    spread = float(np.abs(answer).max())
    return f"""
[[self_test]]
seed = {seed}
width = {size[0]}
height = {size[1]}
tensor = "{tensor}"
first = {first}
values = [{", ".join(f"{value:.5f}" for value in values)}]
tolerance = {max(0.02 * spread, 0.002):.3f}"""


def main():
    options = [word for word in sys.argv[3:] if word.startswith("--size=")]
    spec = tomllib.loads(Path(sys.argv[1]).read_text())["input"]
    size = [int(side) for side in options[0][7:].split("x")] if options else None
    size = size or [spec["width"], spec["height"]]
    session = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
    for seed in SEEDS:
        feed = {spec["tensor"]: question(spec, *size, seed)}
        for word in (word for word in sys.argv[3:] if word not in options):
            tensor, _, first = word.partition(":")
            (answer,) = session.run([tensor], feed)
            print(table(seed, size, tensor, int(first or 0), answer))


if __name__ == "__main__":
    main()

"""Measure the ranges of CenterFace's activations for its 8-bit form, or judge that form.

usage: calibrate.py ranges SOURCE PHOTOS            write centerface_ranges.json
       calibrate.py judge PHOTOS FP32 INT8          compare the networks on frames that calibrated nothing

A developer runs it once for a new network. Needs onnxruntime, sympy and pillow beyond requirements.txt.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization.calibrate import CalibrationDataReader, CalibrationMethod, create_calibrator

import centerface
import frames

STRIDE = 4
MAPS = ["heatmap", "scale", "offset", "landmarks"]
CALIBRATION_SEED, JUDGING_SEED = 1, 2
# Widths of faces, pixels of the network's input.
CALIBRATED_WIDTHS = [14, 20, 30, 45, 70, 100]
JUDGED_WIDTHS = [20, 30, 45, 60, 90, 125]


def session(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def squares(frame):
    """A frame u8 [H, W, 3] as the 8-bit network reads it: u8 [H/2, W/2, 12]."""
    height, width = frame.shape[:2]
    cells = frame.reshape(height // 2, 2, width // 2, 2, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(cells.reshape(height // 2, width // 2, 12))


def tensor(frame):
    return np.ascontiguousarray(frame.transpose(2, 0, 1)[None], np.float32)


def faces(maps, score_min):
    """Boxes [left, top, right, bottom], landmarks [5, 2] and scores, the surest first, without overlaps."""
    heat, scale, offset, points = (map[0] for map in maps)
    rows, columns = np.where(heat[0] >= score_min)
    found = []
    for row, column in sorted(zip(rows, columns), key=lambda cell: -heat[0][cell]):
        height, width = np.exp(scale[:, row, column]) * STRIDE
        left = (column + offset[1, row, column] + 0.5) * STRIDE - width / 2
        top = (row + offset[0, row, column] + 0.5) * STRIDE - height / 2
        box = (left, top, left + width, top + height)
        landmarks = points[:, row, column].reshape(5, 2)[:, ::-1] * [width, height] + [left, top]
        if all(overlap(box, other) < 0.3 for other, _, _ in found):
            found.append((box, landmarks, heat[0, row, column]))
    return found


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


def composed_frames(photos, network, widths, seed):
    """Frames for each width and condition, with the truth."""
    pictures = frames.photographs(photos)
    find = lambda pixels: [face[:2] for face in faces(network.run(MAPS, {"input": tensor(pixels)}), 0.5)]
    heads = [head for picture in pictures for head in frames.heads(picture, find)]
    random = np.random.default_rng(seed)
    for width in widths:
        for condition in frames.CONDITIONS:
            yield width, condition, *frames.composed(heads, pictures, width, condition, random)


class Frames(CalibrationDataReader):
    def __init__(self, inputs):
        self.inputs = iter(inputs)

    def get_next(self):
        return next(self.inputs, None)


def write_ranges(source, photos):
    with tempfile.TemporaryDirectory() as folder:
        plain, cut = f"{folder}/plain.onnx", f"{folder}/cut.onnx"
        onnx.save(centerface.rewritten(source).finished(), plain)
        graph = centerface.before_quantisation(source)
        kept = [name for name in centerface.activations(graph) if name != "input"]
        onnx.save(graph.finished(), cut)
        shown = composed_frames(photos, session(plain), CALIBRATED_WIDTHS, CALIBRATION_SEED)
        # Every width and every condition twice: all of them take as long as all memory.
        chosen = [frame for number, (_, _, frame, _) in enumerate(shown) if number % 7 in (0, 3)]
        inputs = [{"input": squares(frame).transpose(2, 0, 1)[None].astype(np.float32)} for frame in chosen]
        calibrator = create_calibrator(
            Path(cut), None, f"{folder}/augmented.onnx", calibrate_method=CalibrationMethod.Entropy
        )
        calibrator.collect_data(Frames(inputs))
        measured = calibrator.compute_data().data
    ranges = {name: [float(np.float32(end)) for end in measured[name].range_value] for name in kept}
    lines = [f"  {json.dumps(name)}: [{low:.6g}, {high:.6g}]" for name, (low, high) in ranges.items()]
    centerface.RANGES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def judge(photos, plain, eight):
    networks = {"fp32": session(plain), "int8": session(eight)}
    inputs = {"fp32": tensor, "int8": lambda frame: squares(frame)[None]}
    totals = {}
    for width, condition, frame, truth in composed_frames(photos, networks["fp32"], JUDGED_WIDTHS, JUDGING_SEED):
        for name, network in networks.items():
            found = faces(network.run(MAPS, {"input": inputs[name](frame)}), 0.35)
            for score_min in (0.5, 0.35):
                kept = [face for face in found if face[2] >= score_min]
                for key in [("width", width), ("condition", condition), ("all", "")]:
                    total = totals.setdefault((key, name, score_min), [0, 0, 0, []])
                    count(total, kept, truth)
    print(f"{'':>22} {'':>5} {'score':>6} {'found':>12} {'false':>6} {'landmarks off, of the eye distance':>36}")
    for (key, name, score_min), (found, there, false, away) in sorted(totals.items(), key=str):
        label = f"{key[0]} {key[1]}"
        print(f"{label:>22} {name:>5} {score_min:>6} {found:>5} of {there:>4} {false:>6} {np.mean(away or [0]):>10.3f}")


def count(total, found, truth):
    boxes = [(*box[0], *box[1]) for box, _ in truth]
    total[1] += len(truth)
    for box, landmarks, _ in found:
        best = max(range(len(boxes)), key=lambda index: overlap(box, boxes[index]))
        if overlap(box, boxes[best]) < 0.3:
            total[2] += 1
            continue
        known = truth[best][1]
        total[0] += 1
        total[3].append(np.mean(np.hypot(*(landmarks - known).T)) / np.hypot(*(known[1] - known[0])))


def main():
    match sys.argv[1:]:
        case ["ranges", source, photos]:
            write_ranges(source, photos)
        case ["judge", photos, plain, eight]:
            judge(photos, plain, eight)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()

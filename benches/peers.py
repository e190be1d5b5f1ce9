#!/usr/bin/env python3
"""Exact search by others on this machine, for comparison with `cargo bench --package domain`.

    python3 -m venv VENV && VENV/bin/pip install numpy faiss-cpu usearch
    VENV/bin/python benches/peers.py [PEOPLE]

Median milliseconds of one search for the five nearest, one thread and two, by one probe and by eight at once, and the
share of probes whose nearest person is that of the exact search.
"""

import sys
import time

import faiss
import numpy
from usearch.index import MetricKind, search

DIMENSIONS = 512
TURNS = 21


def unit(random, rows):
    vectors = random.standard_normal((rows, DIMENSIONS), dtype=numpy.float32)
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def median_ms(work):
    times = []
    for _ in range(TURNS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return sorted(times)[TURNS // 2]


def report(name, ask, probes, exact):
    row = []
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        row += [median_ms(lambda: ask(probes[:count], threads)) for count in (1, 8)]
    agree = (ask(probes, 2) == exact).mean()
    print(f"{name:24}" + "".join(f"{ms:10.2f}" for ms in row) + f"{agree:9.1%}")


def main():
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    random = numpy.random.default_rng(7)
    faces = unit(random, people)
    probes = faces[:: people // 64][:64] + 0.5 * unit(random, 64)
    probes /= numpy.linalg.norm(probes, axis=1, keepdims=True)

    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(faces)
    exact = flat.search(probes, 1)[1][:, 0]
    scalar = faiss.IndexScalarQuantizer(DIMENSIONS, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    scalar.train(faces[:50_000])
    scalar.add(faces)
    codes = numpy.clip(numpy.rint(faces * (127 / numpy.abs(faces).max())), -127, 127).astype(numpy.int8)

    def usearch(asked, threads):
        asked = numpy.clip(numpy.rint(asked * (127 / numpy.abs(asked).max())), -127, 127).astype(numpy.int8)
        found = search(codes, asked, 5, MetricKind.Cos, exact=True, threads=threads)
        keys = numpy.atleast_2d(found.keys)
        return keys[:, 0]

    print(f"{people} people" + " " * 10 + "   1t x1     1t x8     2t x1     2t x8    top-1")
    report("faiss IndexFlatIP", lambda asked, _: flat.search(asked, 5)[1][:, 0], probes, exact)
    report("faiss SQ8", lambda asked, _: scalar.search(asked, 5)[1][:, 0], probes, exact)
    report("usearch exact int8", usearch, probes, exact)


if __name__ == "__main__":
    main()

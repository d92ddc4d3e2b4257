"""Holds ONNX models against figures that wgrad gave: a JSON object a line comes in, and one goes out."""

import json
import sys

import numpy
import onnx
import onnxruntime


def read(question, name):
    return numpy.fromfile(question[name], "<f4").reshape(question[name + "_shape"])


def answer(question):
    onnx.checker.check_model(question["model"], full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(question["model"], options, providers=["CPUExecutionProvider"])
    [given], [output] = session.get_inputs(), session.get_outputs()
    x, want = read(question, "x"), read(question, "y")
    y = session.run(None, {given.name: x})[0]
    one = session.run(None, {given.name: x[:1]})[0]
    if y.shape != want.shape or one.shape[1:] != want.shape[1:]:
        raise ValueError(f"{y.shape} and {one.shape} come out, {want.shape} is wanted")
    rows = [a.reshape(len(a), -1).astype("f8") for a in (y, want)]
    largest = numpy.abs(rows[1]).max(axis=1)
    # Of an image that gives nothing but zeros, the difference itself.
    worst = (numpy.abs(rows[0] - rows[1]).max(axis=1) / numpy.where(largest > 0, largest, 1)).max()
    if not numpy.isfinite(worst):
        raise ValueError("what comes out is infinite or no number")
    return {
        "worst": float(worst),
        "largest": float(largest.min()),
        "names": [given.name, output.name],
        "shapes": [given.shape, output.shape],
        "metadata": dict(session.get_modelmeta().custom_metadata_map),
        "producer": session.get_modelmeta().producer_name,
        "classes": y.argmax(axis=1).reshape(len(y), -1)[:, 0].tolist(),
    }


for line in sys.stdin:
    try:
        told = answer(json.loads(line))
    except Exception as fault:  # whatever the libraries say is told to whoever asked
        told = {"fault": f"{type(fault).__name__}: {fault}"}
    print(json.dumps(told), flush=True)

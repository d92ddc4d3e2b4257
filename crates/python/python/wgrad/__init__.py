"""Convolutional networks on any GPU: use one that was trained, or train one from arrays.

    import wgrad

    model = wgrad.load("runs/photos-resnet20-1")
    labels = model.predict(images)          # uint8, (N, H, W, C) or (N, H, W)
    names = [model.classes[i] for i in labels]

Arrays are whatever NumPy takes without a copy: its own, those with a buffer, and those with DLPack, such as tensors of PyTorch on the
CPU. What comes back is NumPy's.
"""

import json

import numpy as np

from . import _wgrad

__all__ = ["Model", "load", "train"]


def _array(what):
    """As an array of NumPy's, without a copy where it can be."""
    if not hasattr(what, "__array_interface__") and hasattr(what, "__dlpack__"):
        return np.from_dlpack(what)
    return np.asarray(what)


def _pixels(images, name):
    """Bytes (N, C, H, W) of images (N, H, W, C) or (N, H, W)."""
    images = _array(images)
    if images.dtype != np.uint8:
        raise ValueError(f"{name}: uint8 from 0 to 255 is wanted, not {images.dtype}; 255 * x, rounded, if they go from 0 to 1")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4:
        raise ValueError(f"{name}: (N, H, W, C), or (N, H, W) of grey ones, is wanted, not {images.shape}")
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _labels(labels, count, name):
    labels = _array(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(f"{name}: a whole number for each of {count} images is wanted, not {labels.dtype} {labels.shape}")
    if count and not (0 <= labels.min() and labels.max() < 2**32):
        raise ValueError(f"{name}: numbers from 0 on are wanted, not {labels.min()} to {labels.max()}")
    return labels


class Model:
    """A network that was trained; see `load`."""

    def __init__(self, path, device, batch_size):
        if not 1 <= batch_size <= 65535:
            raise ValueError(f"batch_size {batch_size} is out of range; 1 to 65535 is wanted")
        self._network = _wgrad.Network(path, device, batch_size)

    @property
    def classes(self):
        """The names of the classes; a label is an index into this list."""
        return self._network.classes

    @property
    def multi_label(self):
        """Whether an image may have several of the classes, or none: the probability of each is then its own, and they add up to no 1."""
        return self._network.multi_label

    @property
    def input_shape(self):
        """Channels, rows and columns of the images that it takes."""
        return tuple(self._network.input_shape)

    def predict_proba(self, images):
        """The probability of each class, float32 (N, classes).

        images: uint8 (N, H, W, C), or (N, H, W) of grey ones, of the size that the network takes.

        Raises ValueError for images of another type or shape, RuntimeError if the network gives what is no number.
        """
        pixels = _pixels(images, "images")
        if pixels.shape[1:] != self.input_shape:
            channels, height, width = self.input_shape
            found = tuple(pixels.shape[i] for i in (2, 3, 1))
            raise ValueError(f"images: {(height, width, channels)} (H, W, C) is wanted, not {found}")
        if len(pixels) == 0:
            return np.empty((0, len(self.classes)), np.float32)
        found = np.frombuffer(self._network.probabilities(pixels), np.float32)
        return found.reshape(len(pixels), len(self.classes))

    def predict(self, images):
        """The likeliest class of each image, int64 (N,); of a network for several labels, whether each is there, bool (N, classes).

        Takes and raises what `predict_proba` does.
        """
        shares = self.predict_proba(images)
        return shares > 0.5 if self.multi_label else shares.argmax(axis=1)

    def __repr__(self):
        return f"<wgrad.Model {self._network.model}, {self.input_shape}, {len(self.classes)} classes, on {self._network.device}>"


def load(path, device="auto", batch_size=32):
    """The best weights of a run's folder, or a checkpoint that `wgrad train` or `train` wrote.

    device: "auto", "gpu" or "cpu". batch_size: images that the device does at a time.

    Raises ValueError if there is no such checkpoint or device, or the network tells no classes.
    """
    return Model(path, device, batch_size)


def train(images, labels, *, test_images=None, test_labels=None, classes=None, resume=None, verbose=True, **settings):
    """Trains a network, and leaves a run's folder behind, as `wgrad train` does; what it came to, as a dict.

    images, labels: to learn from: uint8 (N, H, W, C) or (N, H, W), and whole numbers (N,). A part of them is held out to choose the best
    weights by (val=...). test_images, test_labels: to measure on at the end. classes: their names; "0", "1", ... without.
    settings: those of `wgrad train`, with underscores: model="resnet20", epochs=20, batch_size=128, lr=0.1, seed=0, device="auto", ...
    resume: the folder of a run to go on with, on the same arrays. Ctrl-C ends a run after its step, saved.

    Raises ValueError for arrays or settings that do not go together, RuntimeError if the run diverges.
    """
    pixels = _pixels(images, "images")
    labels = _labels(labels, len(pixels), "labels")
    if len(pixels) == 0:
        raise ValueError("images: there are none to learn from")
    if (test_images is None) != (test_labels is None):
        raise ValueError("test_images and test_labels belong together")
    test_pixels = pixels[:0] if test_images is None else _pixels(test_images, "test_images")
    test_labels = _labels(labels[:0] if test_labels is None else test_labels, len(test_pixels), "test_labels")
    if test_pixels.shape[1:] != pixels.shape[1:]:
        raise ValueError(f"test_images: images of {pixels.shape[1:]} (C, H, W) are wanted, not {test_pixels.shape[1:]}")
    count = 1 + max(int(labels.max()), int(test_labels.max(initial=0)))
    names = [str(label) for label in range(count)] if classes is None else [str(name) for name in classes]
    if len(names) < count:
        raise ValueError(f"classes: label {count - 1} has no name among {len(names)}")
    given = {key.replace("_", "-"): value for key, value in settings.items() if value is not None}
    outcome = _wgrad.train(
        pixels, labels.tolist(), test_pixels, test_labels.tolist(), list(pixels.shape[1:]), names,
        json.dumps(given, default=str), resume, not verbose,
    )
    return json.loads(outcome)

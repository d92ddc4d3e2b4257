"""The package as it is installed: trains on arrays, and uses what was trained."""

import contextlib
import os
import tempfile
import unittest

import numpy as np
import wgrad

CLASSES = ["dark", "left", "right"]


def pictures(count, seed):
    """Noise; in two classes one half of it is bright."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, len(CLASSES), count)
    images = draw.integers(0, 90, (count, 12, 10, 3), dtype=np.uint8)
    for image, label in zip(images, labels):
        if label > 0:
            image[:, (label - 1) * 5 : label * 5] += 150
    return images, labels


NET = """{"input": [3, 12, 10], "layers": [
    {"type": "conv2d", "out": 8, "kernel": 3, "stride": 2}, {"type": "batch_norm"}, {"type": "relu"}, {"type": "flatten"},
    {"type": "linear", "out": 3}]}"""


class DLPack:
    """An array that gives itself away by DLPack alone."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **how):
        return self._array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class Package(unittest.TestCase):
    def setUp(self):
        place = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(contextlib.chdir(place))
        with open("net.json", "w") as file:
            file.write(NET)
        self.images, self.labels = pictures(300, 0)
        self.test_images, self.test_labels = pictures(90, 1)

    def train(self, labels=None, **settings):
        given = dict(model="net.json", device="cpu", epochs=3, batch_size=16, classes=CLASSES, verbose=False) | settings
        labels = self.labels if labels is None else labels
        return wgrad.train(self.images, labels, test_images=self.test_images, test_labels=self.test_labels, **given)

    def test_what_was_trained_on_arrays_is_loaded_and_used(self):
        outcome = self.train(name="a")
        self.assertEqual((outcome["run"], outcome["epochs"]), (os.path.join("runs", "a"), 3))
        self.assertGreater(outcome["test_accuracy"], 0.95)
        model = wgrad.load("runs/a", device="cpu", batch_size=32)
        self.assertEqual((model.classes, model.input_shape), (CLASSES, (3, 12, 10)))
        self.assertIn("net.json", repr(model))
        self.assertFalse(model.multi_label)
        # In batches that do not come out even; the accuracy is the run's own.
        shares = model.predict_proba(self.test_images)
        self.assertEqual((shares.shape, shares.dtype), ((90, 3), np.float32))
        self.assertTrue(np.allclose(shares.sum(axis=1), 1, atol=1e-6))
        named = model.predict(self.test_images)
        self.assertEqual((named == self.test_labels).mean(), outcome["test_accuracy"])
        # One at a time, from the checkpoint itself, and with rows that do not follow one another in memory.
        one = wgrad.load("runs/a/best.safetensors", device="cpu", batch_size=1)
        self.assertTrue(np.allclose(one.predict_proba(self.test_images[::-1]), shares[::-1], atol=1e-6))
        self.assertEqual(model.predict_proba(self.test_images[:0]).shape, (0, 3))
        # By DLPack alone.
        self.assertTrue((model.predict_proba(DLPack(self.test_images)) == shares).all())

    def test_the_same_arrays_give_the_same_bytes_stopped_or_not(self):
        def weights(name):
            with open(f"runs/{name}/last.safetensors", "rb") as file:
                return file.read()

        self.train(name="a")
        self.train(name="b", max_steps=20)
        self.train(resume="runs/b", model=None, device=None, epochs=None, batch_size=None)
        self.assertEqual(weights("a"), weights("b"))
        # The control: other labels are another run, and no images to go on with.
        others = np.roll(self.labels, 1)
        self.train(name="c", labels=others)
        self.assertNotEqual(weights("a"), weights("c"))
        self.train(name="d", max_steps=20)
        with self.assertRaisesRegex(ValueError, "fingerprint"):
            self.train(labels=others, resume="runs/d", model=None, device=None, epochs=None, batch_size=None)

    def test_grey_images_have_no_axis_of_channels(self):
        grey = self.images[..., 0]
        outcome = wgrad.train(grey, self.labels, model="small-cnn", device="cpu", epochs=1, name="grey", verbose=False)
        self.assertEqual((outcome["test"], outcome["model"]), (None, "small-cnn"))
        model = wgrad.load("runs/grey", device="cpu")
        self.assertEqual((model.classes, model.predict(grey[:7]).shape), (["0", "1", "2"], (7,)))

    def test_what_does_not_go_together_is_a_value_error_that_says_what_is_wanted(self):
        floats = self.images / 255
        wrong = [
            ("uint8 from 0 to 255 is wanted, not float64", lambda: wgrad.train(floats, self.labels)),
            ("a whole number for each of 300 images", lambda: wgrad.train(self.images, self.labels[:3])),
            ("a whole number for each of 300 images", lambda: wgrad.train(self.images, self.labels / 2)),
            ("numbers from 0 on are wanted, not -1 to 1", lambda: wgrad.train(self.images, self.labels - 1)),
            ("(N, H, W, C), or (N, H, W) of grey ones", lambda: wgrad.train(self.images[0, 0], self.labels)),
            ("there are none to learn from", lambda: wgrad.train(self.images[:0], self.labels[:0])),
            ("label 2 has no name among 2", lambda: self.train(classes=["a", "b"])),
            ("belong together", lambda: wgrad.train(self.images, self.labels, test_images=self.images)),
            ("test_images: images of (3, 12, 10)", lambda: wgrad.train(
                self.images, self.labels, test_images=self.images[:, :5], test_labels=self.labels)),
            ("unknown field `sped`", lambda: self.train(sped=1)),
            ("there is no model", lambda: self.train(model="resnet21")),
            ("--epochs", lambda: self.train(epochs=0)),
            ("there is no such checkpoint", lambda: wgrad.load("nowhere")),
            ("this folder holds no checkpoint", lambda: wgrad.load(".")),
            ("batch_size 0", lambda: wgrad.load(".", batch_size=0)),
        ]
        for words, call in wrong:
            with self.subTest(words), self.assertRaises(ValueError) as caught:
                call()
            self.assertIn(words, str(caught.exception))
        self.assertFalse(os.path.exists("runs"), "something was left behind")
        self.train(name="a", max_steps=1)
        with self.assertRaisesRegex(ValueError, r"\(12, 10, 3\) \(H, W, C\) is wanted, not \(10, 12, 3\)"):
            wgrad.load("runs/a").predict(self.images.transpose(0, 2, 1, 3))

    def test_a_run_that_diverges_is_a_runtime_error(self):
        with self.assertRaisesRegex(RuntimeError, "diverged"):
            self.train(name="a", lr=1e12, schedule="constant", momentum=0.0)


if __name__ == "__main__":
    unittest.main()

"""Reads a .pth file as torch.load(weights_only=True) does, without torch, and holds it against a safetensors file."""

import json
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

pth, safetensors = sys.argv[1:]


class Reader(pickle.Unpickler):
    """Knows the three names that a state dict may call."""

    def find_class(self, module, name):
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): tensor,
            ("torch", "FloatStorage"): "FloatStorage",
        }
        return known[module, name]

    def persistent_load(self, pid):
        kind, storage, key, place, count = pid
        assert (kind, storage, place) == ("storage", "FloatStorage", "cpu"), pid
        data = archive.read(f"archive/data/{key}")
        assert len(data) == 4 * count, pid
        return data


def tensor(data, offset, size, stride, requires_grad, hooks):
    count, strides = 1, []
    for extent in reversed(size):
        strides.insert(0, count)
        count *= extent
    assert (offset, stride, requires_grad, hooks) == (0, tuple(strides), False, OrderedDict()), (offset, stride)
    assert len(data) == 4 * count, size
    return list(size), data


archive = zipfile.ZipFile(pth)
assert archive.testzip() is None
assert archive.read("archive/version") == b"3\n" and archive.read("archive/byteorder") == b"little"
with open(pth, "rb") as file:
    for entry in archive.infolist():
        file.seek(entry.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        begin = entry.header_offset + 30 + name + extra
        assert entry.compress_type == zipfile.ZIP_STORED and begin % 64 == 0, entry
with archive.open("archive/data.pkl") as file:
    found = Reader(file).load()

with open(safetensors, "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    data = file.read()
notes = header.pop("__metadata__")
wanted = {key: (of["shape"], data[slice(*of["data_offsets"])]) for key, of in header.items()}
assert {of["dtype"] for of in header.values()} == {"F32"} and notes["format"] == "pt", notes
different = [key for key in sorted(set(found) | set(wanted)) if found.get(key) != wanted.get(key)]
print(json.dumps({"keys": list(found), "different": different}))

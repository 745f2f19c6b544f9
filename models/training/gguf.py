"""Writes a GGUF file, version 3: metadata, then tensors. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct

import numpy

ALIGNMENT = 32
_TYPES = {numpy.dtype("float32"): 0, numpy.dtype("float16"): 1}
Q8_0 = 8


class Quantized:
    """A matrix as Q8_0: of each 32 values of a row one scale (f16) and 32 integers of a byte."""

    def __init__(self, matrix):
        blocks = matrix.reshape(-1, 32).astype(numpy.float32)
        scale = (numpy.abs(blocks).max(1) / 127).astype(numpy.float32)
        inverse = numpy.divide(1, scale, out=numpy.zeros_like(scale), where=scale > 0)
        packed = numpy.empty(len(blocks), dtype=[("scale", "<f2"), ("values", "i1", 32)])
        packed["scale"] = scale
        packed["values"] = numpy.rint(blocks * inverse[:, None])
        self.shape, self.ndim, self.data, self.nbytes = matrix.shape, 2, packed.tobytes(), packed.nbytes


class Signed(list):
    """A list of integers that is written as i32."""


def write(path, metadata, tensors):
    """`metadata` is a dict of strings, booleans, integers (u32), floats (f32) and lists of those; `tensors` is a dict of
    arrays and Quantized matrices."""
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
    for key, value in metadata.items():
        head += _string(key) + _typed(value)
    offset = 0
    for name, array in tensors.items():
        head += _string(name) + struct.pack("<I", array.ndim)
        head += b"".join(struct.pack("<Q", size) for size in reversed(array.shape))  # the row length comes first
        head += struct.pack("<IQ", Q8_0 if isinstance(array, Quantized) else _TYPES[array.dtype], offset)
        offset += _padded(array.nbytes)
    with open(path, "wb") as file:
        file.write(head.ljust(_padded(len(head)), b"\0"))
        for array in tensors.values():
            data = array.data if isinstance(array, Quantized) else numpy.ascontiguousarray(array).tobytes()
            file.write(data.ljust(_padded(array.nbytes), b"\0"))


def _padded(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


def _string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(value):
    if isinstance(value, list):
        if isinstance(value, Signed):
            return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
        kind, _ = _scalar(value[0])
        return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(_scalar(item)[1] for item in value)
    kind, data = _scalar(value)
    return struct.pack("<I", kind) + data


def _scalar(value):
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    return 8, _string(value)

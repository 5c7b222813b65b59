"""The numbers that ONNX gives to the fields of its messages, and to the types of elements.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as of onnx 1.23.2
"""

from __future__ import annotations

from initcli.dtypes import DTYPES


class ModelProto:
    """A whole file."""

    IR_VERSION, PRODUCER_NAME, GRAPH, OPSET_IMPORT, METADATA_PROPS = 1, 2, 7, 8, 14


class GraphProto:
    """What a model computes, and with which tensors."""

    NAME, INITIALIZER, OUTPUT = 2, 5, 12


class TensorProto:
    """A tensor with its data, or with the place of it."""

    DIMS, DATA_TYPE, SEGMENT, NAME, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 3, 8, 13, 14
    FLOAT_DATA, INT32_DATA, INT64_DATA, RAW_DATA, DOUBLE_DATA, UINT64_DATA = 4, 5, 7, 9, 10, 11
    EXTERNAL = 1
    """The `data_location` of what stands in another file."""


class EntryProto:
    """A StringStringEntryProto."""

    KEY, VALUE = 1, 2


class OperatorSetIdProto:
    """A set of operators: a domain, and a version of it."""

    DOMAIN, VERSION = 1, 2


class ValueInfoProto:
    """A value that goes in or out, a TypeProto with the Tensor in it, and a TensorShapeProto with its Dimensions."""

    NAME, TYPE = 1, 2
    TENSOR_TYPE = 1
    ELEM_TYPE, SHAPE = 1, 2
    DIM = 1
    DIM_VALUE = 1


CODES = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
    "complex64": 14,
    "bfloat16": 16,
    "float8_e4m3fn": 17,
    "float8_e5m2": 19,
}
"""The number of each dtype."""

TEXT = 8
"""The number of texts."""

FOREIGN = {
    15: ("complex128", 128),
    18: ("float8_e4m3fnuz", 8),
    20: ("float8_e5m2fnuz", 8),
    21: ("uint4", 4),
    22: ("int4", 4),
    23: ("float4_e2m1fn", 4),
    24: ("float8_e8m0fnu", 8),
    25: ("uint2", 2),
    26: ("int2", 2),
    27: ("float6_e2m3fn", 6),
    28: ("float6_e3m2fn", 6),
}
"""The numbers of other types: NumPy's or ml_dtypes' name, and the bits of one element."""

TYPES = {code: (name, 8 * DTYPES[name].itemsize) for name, code in CODES.items()} | FOREIGN
"""Every type of numbers, by its number."""

FIXED_FIELDS = {
    "float32": TensorProto.FLOAT_DATA,
    "complex64": TensorProto.FLOAT_DATA,
    "float64": TensorProto.DOUBLE_DATA,
    "complex128": TensorProto.DOUBLE_DATA,
}
"""Where elements stand that are not in `raw_data`, in the same bytes as there."""
VARINT_FIELDS = {
    "int64": TensorProto.INT64_DATA,
    "uint32": TensorProto.UINT64_DATA,
    "uint64": TensorProto.UINT64_DATA,
}
"""Where elements stand as varints; those of the types left in `int32_data`."""

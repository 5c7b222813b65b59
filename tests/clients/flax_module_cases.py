"""flax's layers with several sets of arguments each: taken by both sides, refused by both, refused here alone."""

IMAGE, TEXT = (12, 10, 6), (9, 64)  # an example without the batch: height, width and channels; length and features

WINDOWS = [
    ((20, 8), {"kernel_size": 3}),
    ((20, 8), {"kernel_size": [4], "padding": "VALID", "strides": 3}),
    ((20, 8), {"kernel_size": [5], "padding": "CIRCULAR", "strides": [2]}),
    (IMAGE, {"kernel_size": (3, 5)}),
    (IMAGE, {"kernel_size": (2, 3), "strides": (3, 2), "use_bias": False}),
    (IMAGE, {"kernel_size": (2, 3), "strides": (3, 2), "padding": "VALID", "kernel_dilation": (2, 3)}),
    (IMAGE, {"kernel_size": (4, 3), "padding": 2, "strides": (2, 1)}),
    (IMAGE, {"kernel_size": (4, 3), "padding": (1, (2, 0)), "kernel_dilation": 2, "param_dtype": "bfloat16"}),
    ((3, *IMAGE), {"kernel_size": (3, 3), "strides": (2, 2)}),
    ((4, *IMAGE), {"kernel_size": (2, 3, 2), "padding": "VALID"}),
]
"""Input, and arguments that convolutions and transposed ones take."""

CONVOLVED = [
    ((20, 8), {"kernel_size": 4, "padding": "CAUSAL", "kernel_dilation": 2}),
    ((20, 8), {"kernel_size": 4, "padding": "REFLECT", "strides": None}),
    (IMAGE, {"kernel_size": (3, 2), "padding": "same", "input_dilation": None, "strides": 2}),
    (IMAGE, {"kernel_size": (3, 2), "padding": "SAME_LOWER", "strides": 4}),
    (IMAGE, {"kernel_size": (3, 2), "padding": 0, "input_dilation": 2}),
    (IMAGE, {"kernel_size": (3, 2), "padding": (3, -1), "input_dilation": (1, 3), "strides": (3, 2)}),
    (IMAGE, {"kernel_size": (30, 2), "padding": "VALID"}),
]
"""The same, that plain convolutions take alone."""

GROUPED = [(IMAGE, {"kernel_size": (3, 3), "feature_group_count": groups}) for groups in (2, 3, 6)]

CELLS = [
    ("LSTMCell", {"recurrent_kernel_init": "lecun_normal"}),
    ("OptimizedLSTMCell", {"param_dtype": "bfloat16", "recurrent_kernel_init": "normal"}),
    ("GRUCell", {"bias_init": "ones"}),
    ("SimpleCell", {"residual": True}),
]

NORMS = [{}, {"use_scale": False}, {"param_dtype": "bfloat16"}]
BIASED = [{"use_bias": False}, {"use_bias": False, "use_scale": False, "epsilon": 1e-3}]

HEADS = [
    {},
    {"use_bias": False},
    {"qkv_features": 48, "out_features": 40},
    {"normalize_qk": True, "param_dtype": "bfloat16"},
    {"out_kernel_init": "normal", "out_bias_init": "ones", "bias_init": "normal"},
]

LINEN = [
    ("Dense", (784,), {"features": 500}),
    ("Dense", TEXT, {"features": 32, "use_bias": False}),
    ("Dense", TEXT, {"features": 32, "kernel_init": "he_uniform", "bias_init": "normal", "param_dtype": "float16"}),
    ("DenseGeneral", (300,), {"features": 400}),
    ("DenseGeneral", TEXT, {"features": (8, 50)}),
    ("DenseGeneral", (3, 16, 20), {"features": [7, 50], "axis": (1, -1), "use_bias": False}),
    ("DenseGeneral", (3, 16, 20), {"features": 60, "axis": (-1, 2)}),
    ("DenseGeneral", (3, 16, 20), {"features": (5, 6), "axis": (-3, -2, -1), "bias_init": "ones"}),
    *(("Conv", shape, {"features": 12, **rest}) for shape, rest in [*WINDOWS, *CONVOLVED, *GROUPED]),
    *(("ConvLocal", shape, {"features": 12, **rest}) for shape, rest in [*WINDOWS, *CONVOLVED[:-1]]),
    *(("ConvTranspose", shape, {"features": 12, **rest}) for shape, rest in WINDOWS),
    *(("ConvTranspose", IMAGE, {"features": 60, "kernel_size": (3, 5), "transpose_kernel": t}) for t in (True, False)),
    ("Embed", (11,), {"num_embeddings": 1000, "features": 64}),
    ("Embed", (), {"num_embeddings": 20, "features": 50, "embedding_init": "he_normal", "param_dtype": "bfloat16"}),
    *((name, IMAGE, rest) for name in ("LayerNorm", "RMSNorm", "InstanceNorm", "BatchNorm") for rest in NORMS),
    *((name, IMAGE, rest) for name in ("LayerNorm", "InstanceNorm", "BatchNorm") for rest in BIASED),
    *(("GroupNorm", IMAGE, {"num_groups": 3, **rest}) for rest in [*NORMS, *BIASED]),
    ("LayerNorm", IMAGE, {"reduction_axes": (1, 2), "feature_axes": (3, 1), **BIASED[1]}),
    ("LayerNorm", IMAGE, {"reduction_axes": (1, 2, 3), "feature_axes": (3, 1)}),
    ("LayerNorm", IMAGE, {"scale_init": "normal", "bias_init": "ones"}),
    ("RMSNorm", IMAGE, {"feature_axes": (-2, -3)}),
    ("InstanceNorm", IMAGE, {"feature_axes": 1}),
    ("GroupNorm", (7, 64), {}),
    ("GroupNorm", IMAGE, {"num_groups": None, "group_size": 2, "reduction_axes": (1, -1)}),
    ("BatchNorm", IMAGE, {"axis": 1, "momentum": 0.9}),
    ("BatchNorm", IMAGE, {"axis": (3, 1)}),
    ("BatchNorm", IMAGE, {"param_dtype": "float16", "force_float32_reductions": False}),
    *((name, (50,), {"features": 60, **rest}) for name, _ in CELLS for rest in ({}, {"carry_init": "ones"})),
    *((name, TEXT, {"features": 30, **rest}) for name, rest in CELLS),
    *(("MGUCell", TEXT, {"features": 60, **rest}) for rest in ({}, {"reset_gate": False})),
    *(
        (name, TEXT, {"num_heads": 4, **rest})
        for name in ("MultiHeadDotProductAttention", "MultiHeadAttention", "SelfAttention")
        for rest in HEADS
    ),
    *(("PReLU", TEXT, rest) for rest in ({}, {"negative_slope_init": 0.25, "param_dtype": "bfloat16"})),
    ("Dropout", TEXT, {"rate": 0.5, "deterministic": True}),
]
"""Class of linen, one example's shape, and arguments that both take; an initializer is the name of one of JAX."""

NNX = [
    ("Linear", {"in_features": 784, "out_features": 500}),
    ("Linear", {"in_features": 20, "out_features": 30, "use_bias": False, "param_dtype": "bfloat16"}),
    ("Linear", {"in_features": 20, "out_features": 30, "kernel_init": "he_uniform", "bias_init": "ones"}),
    ("LinearGeneral", {"in_features": 300, "out_features": 400}),
    ("LinearGeneral", {"in_features": 64, "out_features": (8, 50), "use_bias": False}),
    ("LinearGeneral", {"in_features": [16, 20], "out_features": [5, 30], "axis": (-2, -1)}),
    ("LinearGeneral", {"in_features": 64, "out_features": (8, 50), "batch_axis": {0: 3, 1: 2}, "bias_init": "ones"}),
    *(
        ("Conv", {"in_features": shape[-1], "out_features": 12, **rest})
        for shape, rest in [*WINDOWS, *CONVOLVED, *GROUPED]
    ),
    *(("ConvTranspose", {"in_features": shape[-1], "out_features": 12, **rest}) for shape, rest in WINDOWS),
    *(
        ("ConvTranspose", {"in_features": 6, "out_features": 60, "kernel_size": (3, 5), "transpose_kernel": transposed})
        for transposed in (True, False)
    ),
    ("Embed", {"num_embeddings": 1000, "features": 64}),
    ("Embed", {"num_embeddings": 20, "features": 50, "embedding_init": "he_normal", "param_dtype": "bfloat16"}),
    *(
        (name, {"num_features": 64, **rest})
        for name in ("LayerNorm", "RMSNorm", "InstanceNorm", "BatchNorm", "GroupNorm")
        for rest in [*NORMS, *(BIASED if name != "RMSNorm" else [])]
    ),
    ("LayerNorm", {"num_features": 6, "feature_axes": (-1, -2), "scale_init": "normal"}),
    ("GroupNorm", {"num_features": 6, "num_groups": 3}),
    ("GroupNorm", {"num_features": 6, "num_groups": None, "group_size": 2}),
    *((name, {"in_features": 50, "hidden_features": 60}) for name, _ in CELLS),
    *((name, {"in_features": 64, "hidden_features": 30, **rest}) for name, rest in CELLS),
    ("LSTMCell", {"in_features": 20, "hidden_features": 30, "param_dtype": "bfloat16"}),
    *(("MultiHeadAttention", {"num_heads": 4, "in_features": 64, **rest}) for rest in HEADS),
    ("MultiHeadAttention", {"num_heads": 4, "in_features": 64, "num_kv_heads": 2, "in_kv_features": 24}),
    *(("PReLU", rest) for rest in ({}, {"negative_slope_init": 0.25, "param_dtype": "bfloat16"})),
    ("Dropout", {"rate": 0.5}),
]
"""Class of nnx and arguments that both take."""

WRONG_WINDOWS = [
    {"strides": (1, 2, 3)},
    {"kernel_dilation": (1, 2, 3)},
    {"padding": "WRAP"},
    {"padding": (1, 2, 3)},
    {"padding": ((1, 2, 3), 1)},
    {"padding": 1.5},
    {"kernel_size": 2.5},
    {"kernel_size": (-1, 2)},
    {"kernel_dilation": 0},
]

CONV = {"features": 12, "kernel_size": (3, 3)}
UNSPREAD = {"kernel_size": (3, 3), "padding": "CAUSAL"}

REFUSED_LINEN = [
    ("Dense", TEXT, {}),
    ("Dense", TEXT, {"features": -1}),
    ("Dense", TEXT, {"features": 2.5}),
    ("Dense", TEXT, {"features": 3, "units": 1}),
    ("Dense", TEXT, {"features": 3, "param_dtype": "nonsense"}),
    ("Dense", TEXT, {"features": 3, "kernel_init": None}),
    ("DenseGeneral", TEXT, {"features": 3, "axis": 3}),
    ("DenseGeneral", TEXT, {"features": 3, "axis": (-1, 2)}),
    ("DenseGeneral", TEXT, {"features": 3, "batch_dims": (1,)}),
    *(("Conv", IMAGE, {**CONV, **wrong}) for wrong in WRONG_WINDOWS),
    *(
        ("ConvTranspose", IMAGE, {**CONV, **wrong})
        for wrong in WRONG_WINDOWS
        if "padding" not in wrong or isinstance(wrong["padding"], str)
    ),
    ("Conv", IMAGE, {**CONV, **UNSPREAD}),
    ("Conv", IMAGE, {**CONV, "padding": "circular"}),
    ("Conv", IMAGE, {**CONV, "feature_group_count": 4}),
    ("Conv", IMAGE, {**CONV, "feature_group_count": 3, "features": 7}),
    ("Conv", IMAGE, {**CONV, "input_dilation": (1, 2, 3)}),
    *(("Conv", IMAGE, {**CONV, "input_dilation": 2, "padding": word}) for word in ("SAME", "VALID", "CIRCULAR")),
    ("ConvLocal", IMAGE, {**CONV, "feature_group_count": 2}),
    ("ConvTranspose", IMAGE, {**CONV, "padding": "CAUSAL"}),
    ("ConvTranspose", (5, 5, 5, 5, 5), {"features": 3, "kernel_size": (3, 3, 3, 3)}),
    ("Embed", (11,), {"num_embeddings": 3}),
    ("Embed", (11,), {"num_embeddings": -3, "features": 4}),
    ("LayerNorm", IMAGE, {"feature_axes": 4}),
    ("LayerNorm", IMAGE, {"reduction_axes": (1, 5)}),
    ("InstanceNorm", IMAGE, {"feature_axes": 0}),
    ("GroupNorm", IMAGE, {}),
    ("GroupNorm", IMAGE, {"num_groups": 4}),
    ("GroupNorm", IMAGE, {"num_groups": 0}),
    ("GroupNorm", IMAGE, {"num_groups": None}),
    ("GroupNorm", IMAGE, {"num_groups": 3, "group_size": 2}),
    ("GroupNorm", IMAGE, {"num_groups": None, "group_size": 4}),
    ("GroupNorm", IMAGE, {"num_groups": 3, "reduction_axes": (1, 2)}),
    *((name, TEXT, {"features": -3}) for name in ("LSTMCell", "OptimizedLSTMCell", "GRUCell", "SimpleCell", "MGUCell")),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 5}),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 4, "qkv_features": 42}),
    ("MultiHeadDotProductAttention", TEXT, {"num_heads": 0}),
    ("PReLU", TEXT, {"negative_slope_init": None}),
    ("Dropout", TEXT, {"rate": "nonsense", "deterministic": False}),
]

REFUSED_NNX = [
    ("Linear", {"in_features": 3}),
    ("Linear", {"in_features": 3, "out_features": -2}),
    ("Linear", {"in_features": 3, "out_features": 2, "features": 2}),
    ("LinearGeneral", {"in_features": (3, 4), "out_features": 2}),
    ("LinearGeneral", {"in_features": 3, "out_features": 2, "batch_axis": {1: 2}}),
    ("Conv", {"in_features": 6, "out_features": 12, "kernel_size": (-1, 2)}),
    ("Conv", {"in_features": 6, "out_features": 12, "kernel_size": 3, "feature_group_count": 0}),
    ("ConvTranspose", {"in_features": -6, "out_features": 12, "kernel_size": 3}),
    ("Embed", {"num_embeddings": 3, "features": 4.5}),
    ("LayerNorm", {"num_features": -3}),
    ("GroupNorm", {"num_features": 6}),
    ("GroupNorm", {"num_features": 6, "num_groups": 0}),
    ("GroupNorm", {"num_features": 6, "num_groups": None}),
    ("GroupNorm", {"num_features": 6, "num_groups": 3, "group_size": 2}),
    ("GroupNorm", {"num_features": 6, "num_groups": None, "group_size": 4}),
    *((name, {"in_features": 3, "hidden_features": -3}) for name, _ in CELLS),
    ("MultiHeadAttention", {"num_heads": 5, "in_features": 64}),
    ("MultiHeadAttention", {"num_heads": 4, "in_features": 64, "num_kv_heads": 3}),
    ("MultiHeadAttention", {"num_heads": 4, "in_features": 64, "qkv_features": 42}),
    ("PReLU", {"negative_slope_init": 10**400}),
]

STRICTER_LINEN = [
    ("Dense", TEXT, {"features": 3, "use_bias": 1}),
    ("DenseGeneral", TEXT, {"features": 3, "batch_dims": (0,)}),
    ("DenseGeneral", TEXT, {"features": 3, "axis": (0, 1)}),
    ("LayerNorm", TEXT, {"feature_axes": 0}),
    ("BatchNorm", TEXT, {"axis": -4}),
    ("Conv", (20, 8), {"features": 3, "kernel_size": (3, 3)}),
    ("ConvTranspose", IMAGE, {**CONV, "padding": "same"}),
]
"""What flax takes: the size of the batch for that of a weight, or of an axis that is not there for the last."""

STRICTER_NNX = [
    ("Conv", {"in_features": 6, "out_features": 12, "kernel_size": 3, "feature_group_count": 4}),
    ("Conv", {"in_features": 6, "out_features": 12, "kernel_size": 3, "padding": "WRAP"}),
    ("Conv", {"in_features": 6, "out_features": 12, "kernel_size": (3, 3), "strides": (1, 2, 3)}),
    ("Conv", {"in_features": 6, "out_features": 12, "kernel_size": (3, 3), "input_dilation": 2}),
    ("Dropout", {"rate": "nonsense"}),
]
"""What nnx refuses only when it is called."""

"""Keras's layers with several sets of arguments each, and chains of them.

A case is a class, its arguments, and the shape of one example of its input.
"""

LSTM = {"class": "LSTM", "units": 32}
GRU = {"class": "GRU", "units": 32}
DENSE = {"class": "Dense", "units": 40}
CONV = {"class": "Conv2D", "filters": 16, "kernel_size": 3}
CELL = {"class": "LSTMCell", "units": 32}
FIRST = {"data_format": "channels_first"}

SPACE = {1: (29,), 2: (17, 14), 3: (7, 8, 9)}
"""Lengths of space by the number of axes."""

WINDOWS = [
    {},
    {"padding": "same", "strides": 2},
    {"padding": "valid", "strides": 3},
    {"padding": "same"},
    {"dilation_rate": 2},
    {"dilation_rate": 2, "padding": "same"},
    {"use_bias": False, "activation": "relu"},
]

SPREADS = [
    {},
    {"strides": 2},
    {"strides": 5, "padding": "same"},
    {"strides": 2, "padding": "same", "output_padding": 1},
    {"strides": 3, "padding": "valid", "output_padding": 2},
    {"dilation_rate": 2},
    {"dilation_rate": 2, "padding": "same", "output_padding": 0},
    {"use_bias": False},
]

CORE = [
    ("InputLayer", {"shape": [28, None, 1]}, ()),
    ("InputLayer", {"batch_shape": [None, 28, 1]}, ()),
    ("InputLayer", {"shape": []}, ()),
    ("Dense", {"units": 256}, (784,)),
    ("Dense", {"units": 8, "use_bias": False, "activation": "gelu"}, (None, 5, 30)),
    ("Dense", {"units": 64, "kernel_initializer": "random_uniform", "bias_initializer": "zeros"}, (40,)),
    ("Dense", {"units": 64, "kernel_initializer": "he_normal", "bias_initializer": "ones"}, (40,)),
    ("Dense", {"units": 64, "kernel_initializer": None, "bias_initializer": None}, (40,)),
    ("Dense", {"units": 64, "lora_rank": 32, "lora_alpha": 2}, (100,)),
    ("Dense", {"units": 4, "trainable": False, "kernel_regularizer": "l2", "activity_regularizer": "l1"}, (3,)),
    ("Embedding", {"input_dim": 1000, "output_dim": 64}, (20,)),
    ("Embedding", {"input_dim": 10, "output_dim": 6, "mask_zero": True}, (None,)),
    ("Embedding", {"input_dim": 100, "output_dim": 64, "lora_rank": 32}, (4, 5)),
    ("Embedding", {"input_dim": 100, "output_dim": 64, "embeddings_initializer": "glorot_normal"}, ()),
    ("ReversibleEmbedding", {"input_dim": 100, "output_dim": 64}, (20,)),
    ("ReversibleEmbedding", {"input_dim": 100, "output_dim": 64, "tie_weights": False}, (20,)),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 64, "bias_axes": "c"}, (32,)),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 64], "bias_axes": "d"}, (7, 128)),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 64, "bias_axes": "y"}, (7, 5, 128)),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 64}, (128,)),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "bias_axes": "de"}, (7, 512)),
    ("EinsumDense", {"equation": "abde,dec->abc", "output_shape": [None, 512], "bias_axes": "c"}, (7, 8, 64)),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "bias_axes": "d"}, (7, 32)),
    ("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 64, "bias_axes": "c"}, (32, 7, 5)),
    ("EinsumDense", {"equation": "abc,bd->adc", "output_shape": [64, 5]}, (32, 5)),
    ("EinsumDense", {"equation": "abc,bcd->abd", "output_shape": [4, 64]}, (4, 32)),
    (
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "kernel_initializer": "orthogonal"},
        (7, 32),
    ),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "lora_rank": 16}, (7, 32)),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "kernel_initializer": None}, (7, 32)),
    (
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": [None, 8, 64], "kernel_initializer": "lecun_normal"},
        (7, 32),
    ),
]

CONVOLUTIONS = [
    *(
        (f"Conv{rank}D", {"filters": 32, "kernel_size": 3, **rest}, (*space, 8))
        for rank, space in SPACE.items()
        for rest in [*WINDOWS, {"groups": 4}]
    ),
    ("Conv1D", {"filters": 16, "kernel_size": 3, "padding": "causal"}, (None, 4)),
    ("Conv1D", {"filters": 16, "kernel_size": 3, "padding": "causal", "strides": 2}, (21, 4)),
    ("Conv2D", {"filters": 16, "kernel_size": [3, 5], "strides": [1, 2], "padding": "SAME"}, (None, 21, 4)),
    ("Conv2D", {"filters": 16, "kernel_size": 3, "kernel_initializer": "he_normal"}, (28, 28, 16)),
    *(
        (f"{name}{rank}D", {"kernel_size": 4, **arguments, **FIRST}, (8, *SPACE[rank]))
        for name, arguments, ranks in (
            ("Conv", {"filters": 6, "strides": 2}, (1, 2, 3)),
            ("DepthwiseConv", {"depth_multiplier": 3, "padding": "same"}, (1, 2)),
            ("SeparableConv", {"filters": 6}, (1, 2)),
        )
        for rank in ranks
    ),
    *(
        (f"DepthwiseConv{rank}D", {"kernel_size": 3, **rest}, (*SPACE[rank], 60))
        for rank in (1, 2)
        for rest in [*WINDOWS, {"depth_multiplier": 3}, {"strides": 2, "dilation_rate": 2}]
    ),
    *(
        (f"SeparableConv{rank}D", {"filters": 24, "kernel_size": 3, **rest}, (*SPACE[rank], 20))
        for rank in (1, 2)
        for rest in [*WINDOWS, {"depth_multiplier": 3}]
    ),
    *(
        (f"Conv{rank}DTranspose", {"filters": 24, "kernel_size": 4, **rest}, (*SPACE[rank], 20))
        for rank in (1, 2, 3)
        for rest in SPREADS
    ),
    *((f"Conv{rank}DTranspose", {"filters": 6, "kernel_size": 3, **FIRST}, (4, *SPACE[rank])) for rank in (1, 2, 3)),
    ("Conv2DTranspose", {"filters": 64, "kernel_size": 3, "kernel_initializer": "he_normal"}, (None, 9, 8)),
]

POOLING = [
    *(
        (f"{name}{rank}D", {"pool_size": 3, **rest}, (*SPACE[rank], 4))
        for name in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool")
        for rank in (1, 2, 3)
        for rest in ({}, {"padding": "same"}, {"strides": 2}, {"strides": 2, "padding": "same"})
    ),
    *((f"MaxPooling{rank}D", {}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    *((f"AveragePooling{rank}D", {"pool_size": 2, **FIRST}, (4, *SPACE[rank])) for rank in (1, 2, 3)),
    ("MaxPooling2D", {"pool_size": [2, 3], "strides": [1, 4]}, (None, 20, 3)),
    *(
        (f"Global{name}{rank}D", {**rest, **form}, (*SPACE[rank], 4))
        for name in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool")
        for rank in (1, 2, 3)
        for rest in ({}, {"keepdims": True})
        for form in ({}, FIRST)
    ),
    *(
        (f"Adaptive{name}Pooling{rank}D", {"output_size": 3, **form}, (*SPACE[rank], 4))
        for name in ("Max", "Average")
        for rank in (1, 2, 3)
        for form in ({}, FIRST)
    ),
]

RESHAPING = [
    *(("Flatten", {}, shape) for shape in ((), (5,), (3, 4, 5), (None, 3))),
    ("Flatten", FIRST, (3, 4, 5)),
    ("Reshape", {"target_shape": [6, 2]}, (3, 4)),
    ("Reshape", {"target_shape": [-1, 2]}, (3, 4)),
    ("Reshape", {"target_shape": [-1, 4]}, (None, 4)),
    ("Reshape", {"target_shape": [12]}, (3, 4)),
    ("Permute", {"dims": [2, 1, 3]}, (3, 4, None)),
    ("RepeatVector", {"n": 7}, (3,)),
    *((f"Cropping{rank}D", {"cropping": 2}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    *((f"Cropping{rank}D", {}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    ("Cropping1D", {"cropping": [3, 5]}, (None, 4)),
    ("Cropping2D", {"cropping": [2, 3]}, (20, 30, 4)),
    ("Cropping2D", {"cropping": [[1, 2], [0, 4]], **FIRST}, (4, 20, 30)),
    ("Cropping3D", {"cropping": [[1, 2], [0, 4], [2, 2]], **FIRST}, (4, None, 30, 9)),
    *((f"ZeroPadding{rank}D", {"padding": 2}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    *((f"ZeroPadding{rank}D", {}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    ("ZeroPadding1D", {"padding": [3, 5], **FIRST}, (4, 9)),
    ("ZeroPadding2D", {"padding": [2, 3]}, (20, 30, 4)),
    ("ZeroPadding2D", {"padding": [[1, 2], [0, 4]], **FIRST}, (4, None, 30)),
    ("ZeroPadding3D", {"padding": [1, 2, 3]}, (5, 6, 7, 4)),
    *((f"UpSampling{rank}D", {"size": 3}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    *((f"UpSampling{rank}D", {}, (*SPACE[rank], 4)) for rank in (1, 2, 3)),
    ("UpSampling2D", {"size": [2, 3], "interpolation": "bilinear", **FIRST}, (4, None, 30)),
    ("UpSampling3D", {"size": [1, 2, 3]}, (4, 5, 6, 1)),
]

UNCHANGING = [
    ("Activation", {"activation": "relu"}, (5, 4)),
    ("ActivityRegularization", {"l2": 0.1}, (5,)),
    ("ELU", {"alpha": 0.5}, (5, 4)),
    ("Identity", {}, (None, 4)),
    ("Masking", {"mask_value": -1.0}, (5, 4)),
    ("Rescaling", {"scale": 1 / 255}, (28, 28, 1)),
    ("Softmax", {"axis": 1}, (5, 4)),
    ("UnitNormalization", {}, (5, 4)),
    ("LeakyReLU", {"negative_slope": 0.1}, (5, 4)),
    ("ReLU", {"max_value": 6}, (5, 4)),
    ("ReLU", {}, ()),
    *((name, {"rate": 0.5}, (5, 4)) for name in ("Dropout", "AlphaDropout", "GaussianDropout", "SpatialDropout1D")),
    ("Dropout", {"rate": 0, "noise_shape": [1, 4], "seed": 3}, (5, 4)),
    ("GaussianNoise", {"stddev": 0.5}, (5, 4)),
    ("SpatialDropout2D", {"rate": 1, **FIRST}, (5, 4, 3)),
    ("SpatialDropout3D", {"rate": 0.5}, (5, 4, 3, 2)),
    ("PReLU", {}, (5, 4)),
    ("PReLU", {"alpha_initializer": "glorot_uniform", "shared_axes": 1}, (5, 400)),
    ("PReLU", {"shared_axes": [1, 2]}, (None, None, 4)),
]

RECURRENT = [
    *(
        (name, {"units": 64, **rest}, (9, 40))
        for name in ("SimpleRNN", "GRU", "LSTM")
        for rest in (
            {},
            {"use_bias": False, "return_sequences": True},
            {"dropout": 0.2, "recurrent_dropout": 0.1, "go_backwards": True, "unroll": True},
            {"kernel_initializer": "he_uniform", "recurrent_initializer": "glorot_normal"},
            {"return_state": True},
        )
    ),
    *((name, {"units": 8, "return_sequences": True}, (None, 4)) for name in ("SimpleRNN", "GRU", "LSTM")),
    ("GRU", {"units": 64, "reset_after": False}, (9, 40)),
    ("GRU", {"units": 64, "bias_initializer": "glorot_uniform"}, (9, 40)),
    ("LSTM", {"units": 64, "unit_forget_bias": False, "bias_initializer": "random_normal"}, (9, 40)),
    ("LSTM", {"units": 64, "unit_forget_bias": True, "bias_initializer": "zeros"}, (9, 40)),
    ("LSTM", {"units": 64, "unit_forget_bias": False}, (9, 40)),
    *((f"{name}Cell", {"units": 64}, (40,)) for name in ("SimpleRNN", "GRU", "LSTM")),
    ("GRUCell", {"units": 8, "reset_after": False, "use_bias": False}, (4,)),
    ("StackedRNNCells", {"cells": [CELL, {**CELL, "units": 7}, {"class": "GRUCell", "units": 5}]}, (4,)),
    ("StackedRNNCells", {"cells": [{**CELL, "name": "first"}, CELL]}, (4,)),
    ("RNN", {"cell": CELL}, (9, 40)),
    ("RNN", {"cell": {**CELL, "name": "own"}, "return_sequences": True}, (9, 40)),
    ("RNN", {"cell": [CELL, {**CELL, "units": 7}]}, (9, 40)),
    ("RNN", {"cell": {"class": "StackedRNNCells", "cells": [CELL, {"class": "GRUCell", "units": 5}]}}, (9, 40)),
    *(
        (f"ConvLSTM{rank}D", {"filters": 12, "kernel_size": 3, **rest}, (5, *SPACE[rank], 4))
        for rank in (1, 2, 3)
        for rest in (
            {},
            {"strides": 2, "padding": "same", "return_sequences": True},
            {"dilation_rate": 2, "use_bias": False},
        )
    ),
    ("ConvLSTM2D", {"filters": 12, "kernel_size": [3, 2], **FIRST, "return_sequences": True}, (None, 4, 9, 8)),
    ("ConvLSTM2D", {"filters": 12, "kernel_size": 3, "unit_forget_bias": False, "return_state": True}, (5, 9, 8, 4)),
]

WRAPPERS = [
    *(
        ("Bidirectional", {"layer": {**layer, "return_sequences": is_sequence}, "merge_mode": mode}, (9, 40))
        for layer in (LSTM, GRU, {"class": "SimpleRNN", "units": 8, "name": "forward_steps"})
        for is_sequence in (False, True)
        for mode in ("concat", "sum", None)
    ),
    ("Bidirectional", {"layer": {**LSTM, "return_state": True}}, (9, 40)),
    ("Bidirectional", {"layer": LSTM, "backward_layer": {**GRU, "go_backwards": True}}, (9, 40)),
    ("Bidirectional", {"layer": LSTM, "backward_layer": {**LSTM, "go_backwards": True}}, (9, 40)),
    ("Bidirectional", {"layer": {**LSTM, "go_backwards": True}, "backward_layer": {**LSTM, "name": "b"}}, (9, 40)),
    ("Bidirectional", {"layer": {"class": "ConvLSTM2D", "filters": 3, "kernel_size": 2}}, (5, 9, 8, 4)),
    ("Bidirectional", {"layer": {"class": "RNN", "cell": CELL}}, (9, 40)),
    ("TimeDistributed", {"layer": DENSE}, (9, 40)),
    ("TimeDistributed", {"layer": {**CONV, "name": "each", "kernel_initializer": "he_normal"}}, (None, 12, 12, 16)),
    ("TimeDistributed", {"layer": {"class": "Bidirectional", "layer": LSTM}}, (5, 9, 40)),
    ("TimeDistributed", {"layer": {"class": "BatchNormalization"}}, (5, 9, 40)),
    ("TimeDistributed", {"layer": {"class": "Dropout", "rate": 0.5}}, (5, 9)),
    ("TimeDistributed", {"layer": {**DENSE, "dtype": "float16"}}, (5, 9)),
    *(
        ("SpectralNormalization", {"layer": layer, **rest}, shape)
        for rest in ({}, {"power_iterations": 3})
        for layer, shape in (
            ({**DENSE, "units": 2000}, (9,)),
            ({**DENSE, "lora_rank": 2}, (9,)),
            ({**CONV, "use_bias": False}, (12, 12, 4)),
            ({"class": "Embedding", "input_dim": 40, "output_dim": 32}, (9,)),
            ({"class": "Conv2DTranspose", "filters": 4, "kernel_size": 3}, (12, 12, 4)),
            ({"class": "EinsumDense", "equation": "ab,bc->ac", "output_shape": 64, "bias_axes": "c"}, (32,)),
        )
    ),
]

NORMALIZATION = [
    *(
        ("BatchNormalization", {**rest}, (9, 8, 4))
        for rest in (
            {},
            {"axis": 1},
            {"axis": -2, "scale": False, "momentum": 0.9},
            {"center": False},
            {"trainable": False},
            {"renorm": True},
            {"renorm": True, "moving_variance_initializer": "zeros", "moving_mean_initializer": "ones"},
            {"gamma_initializer": "zeros", "moving_variance_initializer": "random_uniform"},
        )
    ),
    *(
        ("LayerNormalization", {**rest}, (9, 8, 4))
        for rest in ({}, {"axis": 1}, {"axis": [1, 2]}, {"axis": [3, 1]}, {"axis": [1, -1]}, {"center": False})
    ),
    ("LayerNormalization", {"scale": False, "beta_initializer": "ones"}, (None, 4)),
    *(
        ("GroupNormalization", {**rest}, (9, 8, 64))
        for rest in ({}, {"groups": 4}, {"groups": -1}, {"axis": 2, "groups": 2}, {"scale": False})
    ),
    *(("RMSNormalization", {**rest}, (9, 8, 64)) for rest in ({}, {"axis": 1}, {"axis": [1, -1], "epsilon": 1e-5})),
    *(
        ("Normalization", {**rest}, (9, 8, 4))
        for rest in (
            {},
            {"axis": None},
            {"axis": 1},
            {"axis": [-1, 1]},
            {"axis": [3, 1], "invert": True},
            {"mean": 3.0, "variance": 2.0},
            {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 1.0, 1.0, 1.0]},
        )
    ),
]

ATTENTION = [
    *(
        ("MultiHeadAttention", {"num_heads": 6, "key_dim": 16, **rest}, (9, 96))
        for rest in (
            {},
            {"use_bias": False},
            {"value_dim": 32},
            {"output_shape": 100},
            {"output_shape": [5, 7]},
            {"use_gate": True},
            {"use_gate": True, "value_dim": 16, "use_bias": False},
            {"kernel_initializer": "he_normal", "bias_initializer": "ones"},
            {"kernel_initializer": "orthogonal"},
        )
    ),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": [1, 2], "dropout": 0.1}, (4, 9, 6)),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "seed": 1}, (None, 6)),
    *(
        ("GroupQueryAttention", {"head_dim": 64, "num_query_heads": 8, "num_key_value_heads": 2, **rest}, (9, 512))
        for rest in ({}, {"use_bias": False}, {"use_gate": True}, {"kernel_initializer": "lecun_uniform"})
    ),
    *(
        ("Attention", {"use_scale": use_scale, "score_mode": mode}, (9, 8))
        for use_scale in (True, False)
        for mode in ("dot", "concat")
    ),
    ("AdditiveAttention", {}, (9, 800)),
    ("AdditiveAttention", {"use_scale": False, "dropout": 0.1}, (9, 8)),
]

CASES = [
    *(*CORE, *CONVOLUTIONS, *POOLING, *RESHAPING, *UNCHANGING),
    *(*RECURRENT, *WRAPPERS, *NORMALIZATION, *ATTENTION),
]

CHAINS = [
    (
        (28, 28, 1),
        ("Conv2D", {"filters": 32, "kernel_size": 3, "activation": "relu", "kernel_initializer": "he_normal"}),
        ("MaxPooling2D", {}),
        ("Conv2D", {"filters": 64, "kernel_size": 3, "strides": 2, "padding": "same"}),
        ("BatchNormalization", {}),
        ("Activation", {"activation": "relu"}),
        ("ZeroPadding2D", {}),
        ("Conv2DTranspose", {"filters": 8, "kernel_size": 3, "strides": 2}),
        ("Cropping2D", {"cropping": 1}),
        ("Dropout", {"rate": 0.25}),
        ("Flatten", {}),
        ("Dense", {"units": 64, "kernel_initializer": "random_uniform", "bias_initializer": "zeros"}),
        ("Dense", {"units": 10}),
    ),
    (
        (None,),
        ("Embedding", {"input_dim": 1000, "output_dim": 64, "mask_zero": True}),
        ("Bidirectional", {"layer": {**GRU, "return_sequences": True}}),
        ("Bidirectional", {"layer": {**GRU, "return_sequences": True}, "merge_mode": "ave"}),
        ("LSTM", {"units": 20, "return_sequences": True}),
        ("TimeDistributed", {"layer": DENSE}),
        ("GlobalAveragePooling1D", {}),
        ("LayerNormalization", {}),
        ("PReLU", {}),
        ("Dense", {"units": 2}),
    ),
    (
        (32,),
        ("Dense", {"units": 48}),
        ("Reshape", {"target_shape": [4, 4, 3]}),
        ("UpSampling2D", {}),
        ("SeparableConv2D", {"filters": 6, "kernel_size": 3}),
        ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same"}),
        ("GroupNormalization", {"groups": 3}),
        ("Permute", {"dims": [3, 1, 2]}),
        ("TimeDistributed", {"layer": {"class": "Flatten"}}),
        ("RNN", {"cell": [{"class": "LSTMCell", "units": 3}, {"class": "GRUCell", "units": 4}]}),
        ("RepeatVector", {"n": 3}),
        ("RNN", {"cell": [{"class": "LSTMCell", "units": 5}], "return_sequences": True}),
        ("Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal"}),
        ("Normalization", {}),
    ),
    (
        (6, 16, 16, 3),
        ("ConvLSTM2D", {"filters": 4, "kernel_size": 3, "return_sequences": True}),
        ("Conv3D", {"filters": 2, "kernel_size": [3, 3, 3], "padding": "same"}),
        ("GlobalMaxPooling3D", {"keepdims": True}),
        ("Flatten", {}),
        ("SpectralNormalization", {"layer": {"class": "Dense", "units": 3}}),
        ("RMSNormalization", {}),
    ),
]
"""The shape of one example, and the layers one behind the other."""

NO_LAYERS = {
    *("Layer", "Wrapper", "InputSpec", "Lambda", "Pipeline", "TFSMLayer", "TorchModuleWrapper"),
    *("JaxLayer", "FlaxLayer"),
    *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup"),
    *("TextVectorization", "MelSpectrogram", "STFTSpectrogram", "MaxNumBoundingBoxes"),
    *("AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization"),
    *("MixUp", "RandAugment", "Resizing", "Solarization"),
    *(
        f"Random{name}"
        for name in (
            *("Brightness", "ColorDegeneration", "ColorJitter", "Contrast", "Crop", "ElasticTransform", "Erasing"),
            *("Flip", "GaussianBlur", "Grayscale", "Hue", "Invert", "Perspective", "Posterization", "Rotation"),
            *("Saturation", "Sharpness", "Shear", "Translation", "Zoom"),
        )
    ),
}
"""Parents, code of one's own, what has several inputs, and what prepares data."""

"""Arguments of Keras's layers that both sides refuse, and those that are refused here alone.

A case is a class, its arguments, and the shape of one example of its input.
"""

from keras_layer_cases import DENSE, LSTM

# What both refuse.
REFUSED = [
    *(("Dense", {"units": 4, **wrong}, (3,)) for wrong in ({"activation": "relo"}, {"units": -1}, {"kernel": 3})),
    ("Dense", {}, (3,)),
    ("Dense", {"units": 4}, ()),
    ("Dense", {"units": 4}, (None,)),
    ("InputLayer", {}, ()),
    ("InputLayer", {"shape": [3], "batch_shape": [None, 3]}, ()),
    ("InputLayer", {"batch_shape": [None, 3], "batch_size": 3}, ()),
    ("InputLayer", {"shape": [-3]}, ()),
    *(
        ("Embedding", {"input_dim": 4, "output_dim": 3, **wrong}, (3,))
        for wrong in ({"input_dim": 0}, {"output_dim": 2.0})
    ),
    *(
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 64], "bias_axes": "d", **wrong}, (7, 128))
        for wrong in (
            {"equation": "abc,cd"},
            {"equation": "abc,ce->abd"},
            {"equation": "abc,c->abd"},
            {"output_shape": [6, 64]},
            {"output_shape": 64},
            {"bias_axes": "e"},
            {"bias_axes": ""},
            {"output_shape": [None, None]},
            {"equation": "abcd,de->abce"},
        )
    ),
    *(
        (name, {"filters": 4, "kernel_size": 3, **wrong}, (9, 9, 4))
        for name in ("Conv2D", "SeparableConv2D", "Conv2DTranspose")
        for wrong in (
            *({"filters": 0}, {"kernel_size": 0}, {"kernel_size": [3]}, {"kernel_size": [3, 3, 3]}, {"strides": 0}),
            *({"padding": "causal"}, {"padding": "full"}, {"data_format": "last"}, {"activation": "none"}),
        )
    ),
    *(
        (name, {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, (9, 9, 4))
        for name in ("Conv2D", "Conv2DTranspose")
    ),
    *(
        ("Conv2D", {"filters": 4, "kernel_size": 3, **wrong}, (9, 9, 4))
        for wrong in ({"groups": 3}, {"groups": 0}, {"kernel_size": 10}, {"dilation_rate": 5})
    ),
    ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3}, (9, 9, 4)),
    *((name, {"filters": 4, "kernel_size": 3}, shape) for name in ("Conv2D",) for shape in ((9, 4), (9, 9, None))),
    ("Conv2D", {"filters": 4, "kernel_size": 3}, (9, 9, 9, 4)),
    *(
        ("DepthwiseConv2D", {"kernel_size": 3, **wrong}, (9, 9, 4))
        for wrong in ({"depth_multiplier": 0}, {"kernel_size": 12})
    ),
    ("DepthwiseConv1D", {"kernel_size": 3, "padding": "causal"}, (9, 4)),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "output_padding": 1}, (9, 9, 4)),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "output_padding": [1, 2], "strides": 2}, (9, 9, 4)),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3}, (9, 9, None)),
    ("MaxPooling2D", {"pool_size": 5}, (4, 9, 3)),
    ("MaxPooling2D", {"pool_size": 0}, (4, 9, 3)),
    ("MaxPooling2D", {"padding": "causal"}, (4, 9, 3)),
    ("MaxPooling2D", {}, (9, 3)),
    ("AveragePooling2D", {}, (9, 9, 3)),
    ("GlobalMaxPooling2D", {}, (9, 3)),
    ("Reshape", {"target_shape": [5, 2]}, (3, 4)),
    ("Reshape", {"target_shape": [-1, 5]}, (3, 4)),
    ("Reshape", {"target_shape": [-1, -1]}, (3, 4)),
    ("Reshape", {"target_shape": [-2, 6]}, (3, 4)),
    ("Permute", {"dims": [0, 1]}, (3, 4)),
    ("Permute", {"dims": [1, 3, 2]}, (3, 4)),
    ("Permute", {"dims": [1, 1]}, (3, 4)),
    ("RepeatVector", {"n": 0}, (3,)),
    ("RepeatVector", {"n": 2}, (3, 4)),
    ("Cropping1D", {"cropping": 5}, (9, 4)),
    ("Cropping1D", {"cropping": [1, 2, 3]}, (9, 4)),
    ("Cropping2D", {"cropping": [1, -2]}, (9, 9, 4)),
    ("Cropping2D", {"cropping": [1, 2, 3]}, (9, 9, 4)),
    ("ZeroPadding2D", {"padding": -1}, (9, 4)),
    ("ZeroPadding2D", {"padding": [[1, 2], [3]]}, (9, 9, 4)),
    ("UpSampling2D", {"size": 0}, (9, 9, 4)),
    *(
        (name, {"rate": rate}, (9, 4))
        for name in ("Dropout", "GaussianDropout", "AlphaDropout")
        for rate in (-0.1, 1.1)
    ),
    ("SpatialDropout2D", {"rate": 0.5}, (9, 4)),
    ("SpatialDropout1D", {"rate": 0.5, "trainable": True}, (9, 4)),
    ("ReLU", {"negative_slope": -1}, (3,)),
    ("ReLU", {"threshold": None}, (3,)),
    ("ReLU", {"max_value": -1}, (3,)),
    ("LeakyReLU", {"negative_slope": None}, (3,)),
    ("Activation", {"activation": "relo"}, (3,)),
    ("Activation", {}, (3,)),
    ("PReLU", {"shared_axes": 3}, (3, 4)),
    ("PReLU", {}, (None, 4)),
    *((name, {"units": 0}, (9, 4)) for name in ("SimpleRNN", "GRU", "LSTM")),
    *((name, {"units": 4}, shape) for name in ("SimpleRNN", "GRU", "LSTM") for shape in ((4,), (9, None), (9, 8, 4))),
    ("LSTM", {"units": 4, "recurrent_activation": "step"}, (9, 4)),
    ("RNN", {"cell": DENSE}, (9, 4)),
    ("ConvLSTM2D", {"filters": 4, "kernel_size": 3}, (5, None, 9, 4)),
    ("ConvLSTM2D", {"filters": 4, "kernel_size": 3}, (9, 9, 4)),
    ("ConvLSTM2D", {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, (5, 9, 9, 4)),
    ("Bidirectional", {"layer": DENSE}, (9, 4)),
    ("Bidirectional", {"layer": "LSTM"}, (9, 4)),
    ("Bidirectional", {"layer": LSTM, "merge_mode": "mean"}, (9, 4)),
    ("Bidirectional", {"layer": {**LSTM, "go_backwards": True}}, (9, 4)),
    ("Bidirectional", {"layer": LSTM, "backward_layer": LSTM}, (9, 4)),
    ("Bidirectional", {"layer": LSTM, "backward_layer": {**LSTM, "go_backwards": True, "stateful": True}}, (9, 4)),
    ("Bidirectional", {"layer": {**LSTM, "unit": 3}}, (9, 4)),
    ("TimeDistributed", {"layer": DENSE}, (9,)),
    ("TimeDistributed", {"layer": {"class": "MultiHeadAttention", "num_heads": 2, "key_dim": 2}}, (5, 9, 4)),
    ("SpectralNormalization", {"layer": {"class": "BatchNormalization"}}, (9, 4)),
    ("SpectralNormalization", {"layer": LSTM}, (9, 4)),
    ("SpectralNormalization", {"layer": DENSE, "power_iterations": 0}, (9, 4)),
    ("BatchNormalization", {"axis": 3}, (9, 4)),
    ("BatchNormalization", {"axis": 0}, (9, 4)),
    ("BatchNormalization", {}, (9, None)),
    ("LayerNormalization", {"axis": 3}, (9, 4)),
    ("LayerNormalization", {"axis": "last"}, (9, 4)),
    ("LayerNormalization", {"axis": [1, 2]}, (None, 4)),
    ("GroupNormalization", {}, (9, 4)),
    ("GroupNormalization", {"groups": 3}, (9, 4)),
    ("GroupNormalization", {"groups": 0}, (9, 4)),
    ("Normalization", {"mean": 1.0}, (9, 4)),
    ("Normalization", {"axis": 3}, (9, 4)),
    ("Normalization", {"axis": 1}, (None, 4)),
    ("Normalization", {"mean": [1.0, 2.0], "variance": [1.0, 2.0, 3.0]}, (9, 4)),
    ("Normalization", {"mean": [[1.0] * 4], "variance": [[1.0] * 4]}, (9, 4)),
    ("Normalization", {"mean": [1.0] * 3, "variance": [1.0] * 3}, (9, 4)),
    *(
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, **wrong}, (9, 4))
        for wrong in ({"num_heads": 0}, {"key_dim": 1.5}, {"value_dim": 0}, {"sliding_window": 0}, {"key_dim": None})
    ),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "flash_attention": True, "dropout": 0.1}, (9, 4)),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, (9, None)),
    ("GroupQueryAttention", {"head_dim": 4, "num_query_heads": 6, "num_key_value_heads": 4}, (9, 4)),
    ("Attention", {"score_mode": "sum"}, (9, 4)),
]

# What Keras lets through.
STRICTER = [
    ("Dense", {"units": True}, (3,)),
    ("Dense", {"units": 4, "use_bias": 1}, (3,)),
    ("GroupQueryAttention", {"head_dim": 4, "num_query_heads": 6, "num_key_value_heads": 2}, (5, 9, 4)),
    ("EinsumDense", {"equation": "ab,bc->ac and more", "output_shape": 64}, (32,)),
    ("PReLU", {"shared_axes": 0}, (3, 4)),  # that Keras takes for the last
    ("PReLU", {"shared_axes": -1}, (3, 4)),  # that Keras takes for the last but one
    ("LSTM", {"units": 4, "bias_initializer": "ones"}, (9, 4)),
    ("LSTM", {"units": 4, "bias_initializer": "random_normal"}, (9, 4)),
    ("BatchNormalization", {"renorm": True, "moving_variance_initializer": "random_uniform"}, (9, 4)),
]

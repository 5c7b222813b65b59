"""PyTorch's layers with several sets of arguments each: taken by both sides, refused by both, refused here alone."""

ENCODER_LAYER = {"class": "TransformerEncoderLayer", "d_model": 32, "nhead": 4, "dim_feedforward": 48}
DECODER_LAYER = {"class": "TransformerDecoderLayer", "d_model": 32, "nhead": 4, "dim_feedforward": 48}
SMALL = {"d_model": 32, "nhead": 4, "num_encoder_layers": 2, "num_decoder_layers": 3, "dim_feedforward": 48}
BOTH = {"bidirectional": True, "num_layers": 3}

CASES = [
    ("Linear", {"in_features": 784, "out_features": 4000}),
    ("Linear", {"in_features": 20, "out_features": 30, "bias": False}),
    ("Linear", {"in_features": 0, "out_features": 30}),
    ("Linear", {"in_features": 20, "out_features": 0}),
    ("Bilinear", {"in1_features": 20, "in2_features": 30, "out_features": 1000}),
    ("Bilinear", {"in1_features": 7, "in2_features": 5, "out_features": 3, "bias": False}),
    ("Bilinear", {"in1_features": 7, "in2_features": 0, "out_features": 3}),
    ("AdaptiveLogSoftmaxWithLoss", {"in_features": 64, "n_classes": 1000, "cutoffs": [100, 400, 900]}),
    (
        "AdaptiveLogSoftmaxWithLoss",
        {"in_features": 10, "n_classes": 50, "cutoffs": [10, 20, 49], "div_value": 2.5, "head_bias": True},
    ),
    ("LinearCrossEntropyLoss", {"in_features": 64, "num_classes": 1000}),
    ("LinearCrossEntropyLoss", {"in_features": 64, "num_classes": 100, "out_features": (3, 5), "bias": True}),
    *(
        (name, {"in_channels": 12, "out_channels": 900, "kernel_size": 3, **rest})
        for name in ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
        for rest in ({}, {"groups": 6, "stride": 2, "padding": 1, "dilation": 2}, {"groups": 12, "bias": False})
    ),
    ("Conv1d", {"in_channels": 4, "out_channels": 6, "kernel_size": [5], "padding": "same"}),
    ("Conv2d", {"in_channels": 16, "out_channels": 33, "kernel_size": [3, 5], "stride": [2, 1], "padding": [4, 2]}),
    ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 4, "padding": "valid", "stride": 3}),
    ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding_mode": "circular"}),
    ("Conv2d", {"in_channels": 0, "out_channels": 6, "kernel_size": 3}),
    ("Conv3d", {"in_channels": 4, "out_channels": 6, "kernel_size": [2, 3, 4], "padding_mode": "reflect"}),
    ("ConvTranspose2d", {"in_channels": 16, "out_channels": 33, "kernel_size": [3, 5], "output_padding": 1}),
    ("ConvTranspose3d", {"in_channels": 4, "out_channels": 6, "kernel_size": [2, 3, 4], "groups": 2}),
    ("Embedding", {"num_embeddings": 1000, "embedding_dim": 100}),
    *(("Embedding", {"num_embeddings": 40, "embedding_dim": 100, "padding_idx": row}) for row in (0, 3, 39, -1, -40)),
    ("Embedding", {"num_embeddings": 0, "embedding_dim": 3}),
    ("EmbeddingBag", {"num_embeddings": 1000, "embedding_dim": 100, "mode": "sum"}),
    ("EmbeddingBag", {"num_embeddings": 40, "embedding_dim": 100, "padding_idx": -2, "include_last_offset": True}),
    *(
        (name, {"input_size": 50, "hidden_size": 200, **rest})
        for name in ("RNN", "LSTM", "GRU")
        for rest in ({}, {"num_layers": 2, "dropout": 0.5, "batch_first": True}, {**BOTH, "bias": False}, BOTH)
    ),
    ("RNN", {"input_size": 5, "hidden_size": 7, "num_layers": 2, "nonlinearity": "relu"}),
    ("LSTM", {"input_size": 50, "hidden_size": 100, "proj_size": 30}),
    ("LSTM", {"input_size": 50, "hidden_size": 100, "proj_size": 30, **BOTH}),
    ("LSTM", {"input_size": 50, "hidden_size": 100, "proj_size": 30, "bias": False, "num_layers": 2}),
    *((name, {"input_size": 50, "hidden_size": 200}) for name in ("RNNCell", "LSTMCell", "GRUCell")),
    *((name, {"input_size": 5, "hidden_size": 7, "bias": False}) for name in ("RNNCell", "LSTMCell", "GRUCell")),
    ("RNNCell", {"input_size": 0, "hidden_size": 7, "nonlinearity": "relu"}),
    *(
        ("MultiheadAttention", {"embed_dim": 512, "num_heads": 8, **widths, **rest})
        for widths in ({}, {"kdim": 100}, {"vdim": 70}, {"kdim": 100, "vdim": 70}, {"kdim": 512, "vdim": 512})
        for rest in ({}, {"bias": False}, {"add_bias_kv": True}, {"bias": False, "add_bias_kv": True})
    ),
    (
        "MultiheadAttention",
        {"embed_dim": 6, "num_heads": 3, "dropout": 0.1, "add_zero_attn": True, "batch_first": True},
    ),
    *(
        (name, {"normalized_shape": shape, "elementwise_affine": affine})
        for name in ("LayerNorm", "RMSNorm")
        for shape in (7, [7], [3, 5, 2], [])
        for affine in (True, False)
    ),
    ("LayerNorm", {"normalized_shape": 7, "eps": 1e-3, "bias": False}),
    ("RMSNorm", {"normalized_shape": 7, "eps": 1e-3}),
    *(("GroupNorm", {"num_groups": 3, "num_channels": 6, **rest}) for rest in ({}, {"affine": False}, {"bias": False})),
    *(
        (name, {"num_features": 7, **rest})
        for name in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")
        for rest in ({}, {"affine": False}, {"track_running_stats": False}, {"bias": False, "momentum": None})
    ),
    *(
        (name, {"num_features": 7, **rest})
        for name in ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
        for rest in ({}, {"affine": True}, {"track_running_stats": True}, {"affine": True, "bias": False})
    ),
    *(("PReLU", rest) for rest in ({}, {"num_parameters": 5}, {"num_parameters": 3, "init": -1e-3}, {"init": 1})),
    *(
        (name, {"d_model": 64, "nhead": 4, **rest})
        for name in ("TransformerEncoderLayer", "TransformerDecoderLayer")
        for rest in ({}, {"bias": False}, {"dim_feedforward": 100, "activation": "gelu", "norm_first": True})
    ),
    ("TransformerEncoder", {"encoder_layer": ENCODER_LAYER, "num_layers": 2, "enable_nested_tensor": False}),
    ("TransformerDecoder", {"decoder_layer": DECODER_LAYER, "num_layers": 2}),
    (
        "TransformerDecoder",
        {"decoder_layer": DECODER_LAYER, "num_layers": 3, "norm": {"class": "LayerNorm", "normalized_shape": 32}},
    ),
    ("Transformer", SMALL),
    ("Transformer", {**SMALL, "bias": False, "activation": "gelu"}),
    ("Transformer", {**SMALL, "num_encoder_layers": 0, "dim_feedforward": 0}),
    ("Transformer", {**SMALL, "custom_encoder": {"class": "Linear", "in_features": 60, "out_features": 1000}}),
    ("Transformer", {**SMALL, "custom_decoder": {"class": "Identity"}}),
]
"""Class and arguments that both take."""

REFUSED = [
    ("Linear", {"in_features": -1, "out_features": 3}),
    ("Linear", {"in_features": 2.0, "out_features": 3}),
    ("Linear", {"in_features": 2}),
    ("Linear", {"in_features": 2, "out_features": 3, "nonsense": 1}),
    ("Bilinear", {"in1_features": 0, "in2_features": 2, "out_features": 3}),
    *(
        ("AdaptiveLogSoftmaxWithLoss", {"in_features": 8, "n_classes": 20, "cutoffs": cutoffs})
        for cutoffs in ([], [20], [5, 5], [9, 5], [0, 5])
    ),
    ("AdaptiveLogSoftmaxWithLoss", {"in_features": 8, "n_classes": 20, "cutoffs": [5], "div_value": 0}),
    ("LinearCrossEntropyLoss", {"in_features": 64, "num_classes": 10, "label_smoothing": 1.5}),
    ("LinearCrossEntropyLoss", {"in_features": 64, "num_classes": 10, "out_features": 3}),
    *(
        (name, {"in_channels": 4, "out_channels": 4, "kernel_size": 3, **wrong})
        for name in ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
        for wrong in (
            *({"groups": 0}, {"groups": 3}, {"groups": 2, "in_channels": 3}, {"groups": 2, "out_channels": 3}),
            *({"padding_mode": "same"}, {"in_channels": -1}, {"out_channels": 2.5}, {"kernel_size": -3}),
        )
    ),
    ("ConvTranspose2d", {"in_channels": 4, "out_channels": 4, "kernel_size": 3, "padding_mode": "circular"}),
    *(
        ("Conv2d", {"in_channels": 4, "out_channels": 4, "kernel_size": 3, **wrong})
        for wrong in (
            {"padding": "SAME"},
            {"padding": "same", "stride": 2},
            {"padding": "same", "stride": [1, 2]},
        )
    ),
    *(
        (name, {"num_embeddings": 3, "embedding_dim": 2, "padding_idx": row})
        for name in ("Embedding", "EmbeddingBag")
        for row in (3, -4)
    ),
    ("Embedding", {"num_embeddings": 0, "embedding_dim": 2, "padding_idx": 0}),
    *(
        (name, {"input_size": 3, "hidden_size": 4, **wrong})
        for name in ("RNN", "LSTM", "GRU")
        for wrong in (
            *({"input_size": 0}, {"hidden_size": 0}, {"num_layers": 0}, {"hidden_size": 4.0}, {"bias": 1}),
            *({"batch_first": 1}, {"dropout": 1.5}, {"dropout": -0.5}, {"dropout": True}, {"dropout": "half"}),
        )
    ),
    ("RNN", {"input_size": 3, "hidden_size": 4, "nonlinearity": "gelu"}),
    ("RNN", {"input_size": 3, "hidden_size": 4, "proj_size": 2}),
    ("GRU", {"input_size": 3, "hidden_size": 4, "proj_size": 2}),
    *(("LSTM", {"input_size": 3, "hidden_size": 4, "proj_size": size}) for size in (4, 5, -1)),
    *(
        ("MultiheadAttention", {"embed_dim": width, "num_heads": heads})
        for width, heads in ((5, 2), (0, 1), (4, 0), (-4, 2))
    ),
    *((name, {"normalized_shape": -1}) for name in ("LayerNorm", "RMSNorm")),
    ("GroupNorm", {"num_groups": 3, "num_channels": 4}),
    ("GroupNorm", {"num_groups": 0, "num_channels": 4}),
    ("BatchNorm2d", {"num_features": -1}),
    ("BatchNorm2d", {}),
    ("PReLU", {"init": "a quarter"}),
    ("PReLU", {"num_parameters": -1}),
    *((name, {"p": p}) for name in ("Dropout", "AlphaDropout") for p in (-0.5, 2)),
    *(
        (name, {"d_model": 4, "nhead": 2, **wrong})
        for name in ("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer")
        for wrong in ({"nhead": 3}, {"nhead": 0}, {"d_model": 0}, {"dim_feedforward": -1}, {"dropout": 2.0})
    ),
    *(
        (name, {"d_model": 4, "nhead": 2, "activation": "silu"})
        for name in ("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer")
    ),
]
"""What both refuse."""

STRICTER = [
    ("Linear", {"in_features": True, "out_features": 3}),
    ("Linear", {"in_features": 2, "out_features": 3, "bias": "no"}),
    ("Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 0}),
    ("Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": [3, 3, 3]}),
    ("EmbeddingBag", {"num_embeddings": 3, "embedding_dim": 2, "mode": "median"}),
    ("RNNCell", {"input_size": 3, "hidden_size": 4, "nonlinearity": "gelu"}),
    ("LSTMCell", {"input_size": 3, "hidden_size": 0}),
    ("LSTM", {"input_size": 3, "hidden_size": 4, "bidirectional": 1}),
    ("GroupNorm", {"num_groups": -2, "num_channels": 4}),
    ("BatchNorm2d", {"num_features": 3, "affine": 1}),
    ("BatchNorm2d", {"num_features": 3, "track_running_stats": None}),
    ("LayerNorm", {"normalized_shape": 3, "elementwise_affine": None}),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "add_bias_kv": "yes"}),
    ("TransformerEncoderLayer", {"d_model": 4, "nhead": 2, "bias": 1}),
    ("Transformer", {"d_model": 4, "nhead": 2, "dim_feedforward": 4, "num_decoder_layers": -1}),
]
"""What fails in PyTorch only when data comes, or what it takes for something else."""

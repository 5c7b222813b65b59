"""Ask llama.cpp for the log-probabilities of the tokens after a prompt. A process of its own: its faults end it.

python llama_cpp.py MODEL.gguf ANSWER.json   # standard input: [tokens of the prompt, size of the vocabulary]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import xllamacpp

STEPS = 4
"""How many tokens are asked for, each the most likely one after the others."""


def ask(path: str, prompt: list[int], vocab: int) -> list[dict[int, float]]:
    """Return the log-probabilities of all tokens at each step."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx, params.n_parallel, params.n_gpu_layers = 128, 1, 0
    params.warmup = params.fit_params = False
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    request = {"prompt": prompt, "n_predict": STEPS, "n_probs": vocab, "temperature": 0, "ignore_eos": True}
    answer = xllamacpp.Server(params).handle_completions(request)
    answer = json.loads(answer) if isinstance(answer, str) else answer
    steps = answer["choices"][0]["logprobs"]["content"]
    return [{each["id"]: each["logprob"] for each in step["top_logprobs"]} for step in steps]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(ask(sys.argv[1], *json.load(sys.stdin))), "utf-8")

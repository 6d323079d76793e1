"""openai-whisper's weights in CTranslate2, for `bench_whisper`: its own converter needs another library."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = "ctranslate2"


class Ct2Whisper:
    """The same model in eight bits under CTranslate2, in one thread; raises ImportError where that is not installed."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        import ctranslate2

        self.version = ctranslate2.__version__
        self._storage, self._sot = ctranslate2.StorageView, tokenizer.sot
        self._prompt = [tokenizer.sot, tokenizer.to_language_token("en"), tokenizer.transcribe, tokenizer.no_timestamps]
        self._never = [tokenizer.eot, *range(tokenizer.eot + 1, model.dims.n_vocab)]
        with tempfile.TemporaryDirectory() as folder:
            _save(model, tokenizer, Path(folder))
            self._model = ctranslate2.models.Whisper(
                folder, device="cpu", compute_type="int8", inter_threads=1, intra_threads=1
            )

    def decode(self, mels: Any, *, tokens: int) -> list[list[int]]:
        """So many tokens of each window, [windows, bands, frames], all in one batch."""
        heard = self._storage.from_array(np.ascontiguousarray(mels, dtype=np.float32))
        found = self._model.generate(
            self._model.encode(heard), [self._prompt] * len(mels), beam_size=1, sampling_temperature=1,
            sampling_topk=1, max_length=2 * tokens, suppress_tokens=self._never, suppress_blank=False,
        )  # fmt: skip  # it takes half of `max_length`
        return [one.sequences_ids[0] for one in found]


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    from ctranslate2.specs import WhisperSpec

    dims = model.dims
    spec = WhisperSpec(dims.n_audio_layer, dims.n_audio_head, dims.n_text_layer, dims.n_text_head)
    _fill_encoder(spec.encoder, model.encoder)
    _fill_decoder(spec.decoder, model.decoder)
    special = {number: text for text, number in tokenizer.special_tokens.items()}
    spec.register_vocabulary([special.get(number, f"<{number}>") for number in range(dims.n_vocab)])
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids = list(tokenizer.all_language_tokens)
    spec.config.alignment_heads = [[0, 0]]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def _fill_encoder(spec: Any, encoder: Any) -> None:
    for name in ("conv1", "conv2"):
        _copy(getattr(spec, name), getattr(encoder, name))
    spec.position_encodings.encodings = _array(encoder.positional_embedding)
    _norm(spec.layer_norm, encoder.ln_post)
    for layer, block in zip(spec.layer, encoder.blocks, strict=True):
        _fill_block(layer, block)


def _fill_decoder(spec: Any, decoder: Any) -> None:
    spec.embeddings.weight = spec.projection.weight = _array(decoder.token_embedding.weight)
    spec.position_encodings.encodings = _array(decoder.positional_embedding)
    _norm(spec.layer_norm, decoder.ln)
    for layer, block in zip(spec.layer, decoder.blocks, strict=True):
        _fill_block(layer, block)
        heard, attention = layer.attention, block.cross_attn
        _norm(heard.layer_norm, block.cross_attn_ln)
        _copy(heard.linear[0], attention.query)
        _fuse(heard.linear[1], attention.key, attention.value)
        _copy(heard.linear[2], attention.out)


def _fill_block(layer: Any, block: Any) -> None:
    own, attention = layer.self_attention, block.attn
    _norm(own.layer_norm, block.attn_ln)
    _fuse(own.linear[0], attention.query, attention.key, attention.value)
    _copy(own.linear[1], attention.out)
    _norm(layer.ffn.layer_norm, block.mlp_ln)
    _copy(layer.ffn.linear_0, block.mlp[0])
    _copy(layer.ffn.linear_1, block.mlp[2])


def _fuse(spec: Any, *layers: Any) -> None:
    spec.weight = np.concatenate([_array(layer.weight) for layer in layers])
    spec.bias = np.concatenate([_bias(layer) for layer in layers])


def _copy(spec: Any, layer: Any) -> None:
    spec.weight, spec.bias = _array(layer.weight), _bias(layer)


def _bias(layer: Any) -> Any:
    """Whisper's keys have none."""
    return np.zeros(len(layer.weight), np.float32) if layer.bias is None else _array(layer.bias)


def _norm(spec: Any, layer: Any) -> None:
    spec.gamma, spec.beta = _array(layer.weight), _array(layer.bias)


def _array(tensor: Any) -> Any:
    return tensor.detach().float().numpy().copy()

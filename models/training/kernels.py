"""kernels.c for PyTorch: what lies between the matrix products, forwards and backwards. Activations between are bfloat16."""

import ctypes
from pathlib import Path

import torch
from torch.autograd import Function

_c = ctypes.CDLL(str(Path(__file__).parent / "libkernels.so"))


def _call(function, *given):
    """Numbers go as C's long or float, tensors as the address of their values."""
    passed = []
    for value in given:
        if isinstance(value, torch.Tensor):
            assert value.is_contiguous()
            passed.append(ctypes.c_void_p(value.data_ptr()))
        elif isinstance(value, float):
            passed.append(ctypes.c_float(value))
        else:
            passed.append(ctypes.c_void_p(None) if value is None else ctypes.c_long(value))
    getattr(_c, function)(*passed)


class Norm(Function):
    """(stream + added, its RMS norm times a scale). The stream is float32, `added` and the norm are bfloat16."""

    @staticmethod
    def forward(context, stream, added, scale):
        rows, width = stream.shape
        after, normed, inverse = torch.empty_like(stream), torch.empty(rows, width, dtype=torch.bfloat16), torch.empty(rows)
        _call("norm", rows, width, stream, added, scale, after, normed, inverse)
        context.save_for_backward(after, scale, inverse)
        context.added = added is not None
        return after, normed

    @staticmethod
    def backward(context, d_after, d_normed):
        after, scale, inverse = context.saved_tensors
        rows, width = after.shape
        d_stream, d_scale = torch.empty_like(after), torch.zeros_like(scale)
        d_added = torch.empty(rows, width, dtype=torch.bfloat16) if context.added else None
        _call(
            "norm_back", rows, width, after, scale, inverse, d_after.contiguous(), d_normed.contiguous(), d_stream, d_added, d_scale
        )
        return d_stream, d_added, d_scale


class Apart(Function):
    """Query, key and value of each head, query and key turned by their places, the query made small for the product."""

    @staticmethod
    def forward(context, joined, places, cosine, sine):
        rows, length, _, heads, head = joined.shape
        parts = [torch.empty(rows, heads, length, head, dtype=torch.bfloat16) for _ in range(3)]
        context.save_for_backward(places, cosine, sine)
        _call("heads_apart", rows, length, heads, places, cosine, sine, head**-0.5, joined, *parts, 0)
        return tuple(parts)

    @staticmethod
    def backward(context, *d_parts):
        places, cosine, sine = context.saved_tensors
        rows, heads, length, head = d_parts[0].shape
        d_joined = torch.empty(rows, length, 3, heads, head, dtype=torch.bfloat16)
        d_parts = [part.contiguous() for part in d_parts]
        _call("heads_apart", rows, length, heads, places, cosine, sine, head**-0.5, d_joined, *d_parts, 1)
        return d_joined, None, None, None


class Softmax(Function):
    """Chances from scores, in their place. Place i of a row sees what is common, and its own branch from its begin to i."""

    @staticmethod
    def forward(context, scores, common, begins):
        rows, heads, length, _ = scores.shape
        _call("softmax", rows, heads, length, common, begins, scores)
        context.mark_dirty(scores)
        context.save_for_backward(scores)
        return scores

    @staticmethod
    def backward(context, d_chances):
        (chances,) = context.saved_tensors
        d_scores = d_chances.contiguous()
        _call("softmax_back", chances.numel() // chances.shape[-1], chances.shape[-1], chances, d_scores)
        return d_scores, None, None


class Gated(Function):
    """silu(first half) * second half."""

    @staticmethod
    def forward(context, joined):
        rows, hidden = joined.shape[0], joined.shape[1] // 2
        out = torch.empty(rows, hidden, dtype=torch.bfloat16)
        _call("gated", rows, hidden, joined, out)
        context.save_for_backward(joined)
        return out

    @staticmethod
    def backward(context, d_out):
        (joined,) = context.saved_tensors
        d_joined = torch.empty_like(joined)
        _call("gated_back", joined.shape[0], joined.shape[1] // 2, joined, d_out.contiguous(), d_joined)
        return d_joined


class Surprise(Function):
    """(the weighted mean of the losses, each loss). The logits are used up."""

    @staticmethod
    def forward(context, logits, goal, weight):
        losses, factor = torch.empty(len(goal)), weight / weight.sum()
        _call("surprise", *logits.shape, logits, goal, factor, losses)
        context.slopes = logits
        context.mark_non_differentiable(losses)
        return (losses * factor).sum(), losses

    @staticmethod
    def backward(context, d_mean, _):
        return context.slopes * d_mean.bfloat16(), None, None

"""Places in a model's forward pass where activations are read or changed, named as TransformerLens names them."""

from collections.abc import Callable, Mapping
from typing import Final

from leadline.bench.ladder.architecture import Architecture
from leadline.bench.ladder.mixing import Array
from leadline.errors import InputError

#: Gets the activation ``(B, T, width)`` and the name of the place; what it returns, unless None, takes its place.
Hook = Callable[[Array, str], "Array | None"]

EMBED: Final = "hook_embed"
#: The residual stream before a layer, between its two parts and after it, and what each part adds to it.
OF_LAYER: Final = ("hook_resid_pre", "hook_attn_out", "hook_resid_mid", "hook_mlp_out", "hook_resid_post")


def hook_names(architecture: Architecture) -> tuple[str, ...]:
    """``hook_embed``, then ``blocks.0.hook_resid_pre`` and so on, in the order in which they are passed."""
    layers = range(architecture.layers)
    return (EMBED, *(f"blocks.{layer}.{name}" for layer in layers for name in OF_LAYER))


def require_places(architecture: Architecture, hooks: Mapping[str, Hook]) -> None:
    """InputError for a place that the model does not have."""
    known = hook_names(architecture)
    for name in hooks:
        if name not in known:
            raise InputError(
                f"the model has no place {name!r}",
                where="ladder hooks",
                remedy=f"choose among {', '.join(known)}",
            )


def passed(hooks: Mapping[str, Hook], name: str, x: Array) -> Array:
    """The activation as the hook at this place leaves it.

    Raises InputError when a hook gives back another shape.
    """
    hook = hooks.get(name)
    if hook is None or (changed := hook(x, name)) is None:
        return x
    if changed.shape != x.shape:
        raise InputError(
            f"the hook at {name} gave back shape {changed.shape}, not {x.shape}",
            where="ladder hooks",
            remedy="return an array of the activation's own shape, or None",
        )
    return changed.astype(x.dtype, copy=False)

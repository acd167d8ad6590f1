"""Names of techniques and what else they are called, so that two spellings meet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique by its usual name; ``aliases`` are compared without case, dashes or spaces."""

    id: str
    aliases: tuple[str, ...] = ()


TECHNIQUES: tuple[Technique, ...] = (
    Technique("none", ("baseline", "no intervention", "untreated")),
    Technique("linear probe", ("activation probe", "logistic probe", "probe")),
    Technique(
        "steering vector",
        ("activation steering", "activation addition", "contrastive activation addition", "CAA"),
    ),
    Technique("sparse autoencoder", ("SAE", "dictionary learning")),
    Technique("LoRA fine-tuning", ("LoRA", "low-rank adaptation")),
    Technique("supervised fine-tuning", ("SFT", "fine-tuning", "full fine-tuning")),
    Technique("reinforcement learning from human feedback", ("RLHF",)),
    Technique("direct preference optimization", ("DPO",)),
    Technique("few-shot prompting", ("few shot", "in-context examples")),
    Technique("chain of thought", ("CoT", "step by step")),
    Technique("prompted monitor", ("trusted monitor", "LLM monitor", "monitor")),
    Technique("untrusted monitor", ("self-monitoring", "collusion-checked monitor")),
    Technique("trusted editing", ("edit untrusted output",)),
    Technique("defer to trusted", ("trusted fallback",)),
    Technique("resampling", ("resample", "defer to resample")),
    Technique("debate", ("AI debate",)),
    Technique("model as judge", ("LLM as a judge", "LLM judge", "grader model")),
    Technique("adversarial training", ("red-team training",)),
    Technique("latent adversarial training", ("LAT",)),
    Technique("paraphrasing", ("paraphrase defence", "CoT paraphrasing")),
    Technique("unlearning", ("machine unlearning",)),
    Technique("password lock", ("password-locked model", "sandbagging organism")),
    Technique("system prompt", ("prompting", "instruction")),
)

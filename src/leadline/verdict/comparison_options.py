"""Options of a comparison: what they must be, and what they mean for the logs at hand."""

import math
import re
from difflib import get_close_matches

import numpy as np
import pyarrow as pa

from leadline.errors import ExpressionError, InputError
from leadline.logs import SampleTable
from leadline.protocol.consistency import METHODS
from leadline.protocol.expression import PRIOR_COLUMNS
from leadline.protocol.expression import compile as compile_expression
from leadline.verdict.items import Items

#: Interval methods for the mean of paired differences, and those of them that need 0/1 scores.
PAIRED_METHODS = METHODS["paired_difference"]
BINARY_METHODS = frozenset({"tango", "score"})
#: A sample id such as `problem3.2`, `set-4_1`: a stem, a separator, and the part within the stem.
GROUPED_ID = r"^(.*[^._:/#-])[._:/#-]+[^._:/#-]+$"
#: What people call the column of sample ids.
ID_WORDS = frozenset({"id", "ids", "item", "item_id", "question", "question_id", "sample"})


def require_options(smallest: float | None, level: float, method: str) -> None:
    """Raise InputError for options that make no sense whatever the logs hold."""
    if smallest is not None and not 0 < smallest < math.inf:
        raise InputError("the smallest difference must be a number above 0", remedy="e.g. .05")
    if not 0 < level < 0.5:
        raise InputError(f"a level of {level:g} makes no sense", remedy="0.05 gives a 95 % interval")
    if method not in PAIRED_METHODS:
        raise InputError(
            f"the method {method!r} does not answer a paired difference",
            remedy=f"use one of: {', '.join(PAIRED_METHODS)}",
        )


def require_sense(smallest: float | None, method: str, a: Items, b: Items) -> None:
    """Raise InputError where the scores are such that an option makes no sense."""
    values = np.concatenate([a.values, b.values])
    if len(values) == 0:
        return
    binary = bool(np.isin(values, (0.0, 1.0)).all())
    if method in BINARY_METHODS and not binary:
        raise InputError(
            f"the method {method!r} needs scores that are 0 or 1, and these are not",
            remedy="use auto, or cr2",
        )
    if smallest is None:
        return
    if binary and smallest >= 1:
        meant = f"{smallest / 100:g}".removeprefix("0") if smallest < 100 else ".05"
        raise InputError(
            f"scores here are 0 or 1, so that no difference can be larger than 1; {smallest:g} was given as"
            " the smallest difference of interest",
            remedy=f"did you mean {meant}?",
        )
    low, high = float(values.min()), float(values.max())
    if not binary and high > low and smallest >= high - low:
        raise InputError(
            f"a smallest difference of {smallest:g} is as large as the whole range of the values here,"
            f" {low:.4g} to {high:.4g}",
            remedy="give it in the unit of the scores, well below their range",
        )


def cluster_columns(cluster: str | None) -> tuple[str, ...]:
    """The columns a cluster expression needs; a cluster may not depend on how a sample came out."""
    if cluster is None or cluster == "auto":
        return ()
    name = cluster.strip()
    if re.fullmatch(r"[A-Za-z_]\w*", name) and name not in PRIOR_COLUMNS:
        near = ["sample_id"] if name.lower() in ID_WORDS else get_close_matches(name, PRIOR_COLUMNS, n=1)
        raise ExpressionError(
            f"no column is named {name!r} that could name a sample's cluster",
            remedy=(f"did you mean {near[0]}? " if near else "")
            + f"the columns are {', '.join(sorted(PRIOR_COLUMNS))}; sample metadata is written metadata.{name}",
        )
    return tuple(sorted(compile_expression(cluster, columns=PRIOR_COLUMNS).columns))


def cluster_expression(cluster: str | None, a: SampleTable, b: SampleTable) -> str | None:
    """The cluster expression; "auto" groups ids by their stem when at least half the items share a stem."""
    if cluster != "auto":
        return cluster
    ids = {
        str(i)
        for table in (a, b)
        for i in table.to_arrow()["sample_id"].cast(pa.string()).unique().to_pylist()
    }
    stems: dict[str, int] = {}
    for sample in ids:
        match = re.fullmatch(GROUPED_ID, sample)
        if match is None:
            return None
        stems[match[1]] = stems.get(match[1], 0) + 1
    grouped = sum(count for count in stems.values() if count > 1)
    if len(stems) < 2 or grouped * 2 < len(ids):
        return None
    return f"regexp_extract(sample_id, '{GROUPED_ID}', 1)"

"""lm-evaluation-harness: one results file for a run, and one file of samples for each task of it.

Each file is read by itself; `join` then puts a task's samples and what the results file says of the task into one
log. The log's digest is that of its samples file, and the results file is its companion.
"""

from leadline.logs.readers.lm_eval.joining import join
from leadline.logs.readers.lm_eval.results import RESULTS
from leadline.logs.readers.lm_eval.samples import SAMPLES

__all__ = ["RESULTS", "SAMPLES", "join"]

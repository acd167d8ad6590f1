"""Every Eval Ever: an aggregate record for a model's results, and a file of instances for their samples.

Each file is read by itself; `join` then completes the instances by the record that names their checksum. The log's
digest is that of its instances, and the record is its companion. A record without instances is background.
"""

from leadline.logs.readers.every_eval_ever.aggregate import AGGREGATE
from leadline.logs.readers.every_eval_ever.instances import INSTANCES
from leadline.logs.readers.every_eval_ever.joining import join

__all__ = ["AGGREGATE", "INSTANCES", "join"]

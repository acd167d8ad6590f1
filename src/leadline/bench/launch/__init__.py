"""Running an evaluation for a registered study: announced before it begins, compared as it begins, closed with its logs.

`launcher` is the way from an announced attempt to a closed one; `hooks` is its other half, inside Inspect's
process. The two speak through the files of a private folder (`berth`), which outlives both of them.
"""

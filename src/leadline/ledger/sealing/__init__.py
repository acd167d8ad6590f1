"""Sealing: promises that can be proven later and read by nobody until then.

``commitment`` salted commitments · ``fields`` what is committed to, block by block · ``periods`` coarse dates ·
``age`` strict use of age encryption · ``container`` one length for any content · ``shares`` a quorum of trustees ·
``body`` the encrypted study · ``slots`` hidden later statements, in batches · ``opening`` what a reveal holds.

The modules are imported one by one: `age`, `shares`, `body` and `slots` need the extra ``seal`` when they encrypt
or decrypt, nothing else does. Checking an opening needs no secret and no extra.
"""

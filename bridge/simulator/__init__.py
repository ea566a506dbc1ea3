"""A WhatsApp that misbehaves on request: the bridge contract, version 1, and a ledger of what people got.

It knows nothing of the sender it is used to test: a mistake in shared code would be made on both sides and never seen.
docs/simulator.md is the manual.
"""

"""The purchase: chunks, ledger, approval, spending gate, submission, reconciliation, collection.

The only room that spends money. Its promise: nothing is bought twice, nothing bought is lost, no cap is passed.
"""

"""ENG5: the predecessor's profiles as batches, and what it asserted of them held against our tables, to the unit."""

"""The mistakes a user can meet. Every message says what is wrong, where, and what to do about it.

One family, so that the command line and Dagster can show them as they are and let real bugs keep their
traceback.
"""


class CjError(Exception):
    """Something a person can put right; the message is meant to be read by that person."""


class BatchError(CjError):
    """The batch folder is not what it should be. Nothing was bought."""


class UnknownBatch(BatchError):
    """No batch folder of that name under the roots that are searched."""


class RevisionChanged(CjError):
    """The content of a batch was edited after judgments of it were bought."""


class StaleTable(CjError):
    """A stored table was made from another revision or an older state of the ledger."""


class NotApproved(CjError):
    """A paid purchase without an approval that covers it."""


class OverBudget(CjError):
    """A purchase that would pass a spending cap; nothing of it was submitted."""


class Unpriced(CjError):
    """No price is known for a model, so no cap could hold."""


class ProviderRefused(CjError):
    """The provider said no, definitely: nothing was created and nothing will be billed."""


class ProviderUncertain(CjError):
    """The call may or may not have taken effect; only reconciliation can tell."""


class ProviderUnreachable(CjError):
    """A read from the provider failed. It says nothing about the state of any job."""


class AccountBusy(CjError):
    """Another process is submitting under the same account."""


class JobBusy(CjError):
    """Another process makes a job's calls."""


class StructuralFault(CjError):
    """A table that must never be written: an invariant between two stages does not hold."""


class ProviderBusy(CjError):
    """The provider turned the call away for now; nothing was created."""


class TurnedAway(ProviderBusy):
    """A call that was not carried out for want of capacity; `retry_after` is in seconds, where the provider says so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutOfCredit(ProviderBusy):
    """The account has no credit left; nothing was created. A person must pay, then lift the hold."""


class Undecided(CjError):
    """A job at the provider may or may not be ours, and only time can tell; nothing is bought meanwhile."""


class ResultsGone(CjError):
    """The provider says for certain that it no longer keeps a job's results."""


class AccountOnHold(CjError):
    """An account that nothing is bought under until a person lifts the hold."""

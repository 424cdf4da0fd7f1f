"""Do the gates keep their promises, and the figures? Simulated judges of known worth, batches of known truth."""

"""The teacher: the endpoint, the ledger of what it replied, and the pool that asks it."""

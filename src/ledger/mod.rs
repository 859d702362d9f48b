//! The ledger of every rule: states, rows, transitions, and the trait over its stores. Knows neither findings nor EC2.

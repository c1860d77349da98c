"""Random small systems with laws, and what is true of them. Nothing here knows of a prover."""

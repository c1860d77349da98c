"""A symbolic EVM: the bytecode of Cancun, run on words that are integers or the prover's terms.

Accounts, jump targets, storage keys and memory offsets must be numbers; amounts may be unknown. Where the code decides
on an unknown, it asks a question of the current run (`prover.symbolic`), so that both ways are explored. On integers
alone nothing is asked and the machine is an ordinary EVM, which is how it is tested.

Gas is not counted: a run that ends for the lack of it is not seen. What is not supported (the creation of contracts,
ether that moves, precompiled contracts but the identity) raises `Unsupported`, which is never a verdict.
"""

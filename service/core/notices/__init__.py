"""What people are told without asking: which records of the ledger are worth a notice, in which words, and when it may go out.

The ledger is the source, so nothing that is recorded can be lost on its way to people, and no run waits for a mail server.
Pure: what was told already is remembered in a value that goes in and comes out.
"""

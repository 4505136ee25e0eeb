"""What processes share by way of Redis: request budgets, what platforms asked for, and that there is news.

Nothing here is a record: all of it may be lost, and is made up for by waiting, by asking again, or by each process keeping
count for itself.
"""

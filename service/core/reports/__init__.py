"""What months of runs come to, for people: the structure of a clinic's diaries, and the money that was moved. Pure.

Both go by what each run keeps of what it saw (`seen`), because whole snapshots of a month take too long to read.
"""

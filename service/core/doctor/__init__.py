"""The examination of a clinic before cut-over: what was read of its accounts, held against its rule file. Pure."""

"""Metrics and traces: what watches the work that `service.monitor` tells of. Nothing else knows the libraries behind them."""

"""Static arbitrage of a finite grid: found and named (`check`), in batch (`verdicts`), mended (`repair`)."""

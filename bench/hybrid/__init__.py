"""Once for real: two open models behind the gateway on a public task, measured, certified and served."""

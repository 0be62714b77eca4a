"""The classical models behind one interface (`export.bench.methods.Method`); `catalogue` lists them."""

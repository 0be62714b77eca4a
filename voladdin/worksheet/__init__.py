"""The worksheet functions, one module a family: what each takes, and its cells in, cells out."""

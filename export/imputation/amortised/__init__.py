"""A network that reads the quotes as a set, and hands a mean and a kernel to the process."""

"""The desk's side of the local server: state, token, start on demand, a client. Standard library only."""

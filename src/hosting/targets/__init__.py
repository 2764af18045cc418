"""What a host serves, behind one face (contract 0: the target)."""
